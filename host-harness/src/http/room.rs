//! How much memory messages may take, and who gets how much of it.

use crate::runtime::Party;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// Memory for messages, in bytes, shared out by party: nobody gets more than is left to all others, so that each further
/// one finds some, however much the ones before have taken.
pub(super) struct Room {
    limit: usize,
    /// What only the oldest message may take, so that of those that grow there is always one that comes to its end.
    set_aside: usize,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Default)]
struct State {
    used: usize,
    next: u64,
    /// Whose the messages are and how much they have, the oldest first.
    messages: BTreeMap<u64, (Party, usize)>,
}

/// The room of one message, until it is dropped.
pub(super) struct Reservation {
    room: Arc<Room>,
    number: u64,
}

/// Why a message got no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// There is too little for anybody.
    ForAnybody,
    /// The party has as much as it may.
    ForParty,
}

impl Room {
    /// So many bytes, of which `set_aside` are for the oldest message that grows.
    pub(super) fn new(limit: usize, set_aside: usize) -> Arc<Self> {
        Arc::new(Self { limit: limit.max(set_aside), set_aside, state: Mutex::default(), freed: Notify::new() })
    }

    /// A message that has nothing yet and is going to grow.
    pub(super) fn enter(self: &Arc<Self>, party: Party) -> Reservation {
        self.add(&mut self.state.lock(), party, 0)
    }

    /// Room for a message that is there as a whole.
    pub(super) fn take(self: &Arc<Self>, party: Party, bytes: usize) -> Result<Reservation, NoRoom> {
        let mut state = self.state.lock();
        let (free, own) = (self.limit.saturating_sub(state.used), state.of(&party));
        // Nobody is refused everything, however long the message.
        let first = own == 0 && (state.used == 0 || bytes <= free);
        if !first && own.saturating_add(bytes) > free.saturating_sub(bytes) {
            return Err(if own == 0 { NoRoom::ForAnybody } else { NoRoom::ForParty });
        }
        Ok(self.add(&mut state, party, bytes))
    }

    fn add(self: &Arc<Self>, state: &mut State, party: Party, bytes: usize) -> Reservation {
        let number = state.next;
        state.next += 1;
        state.used += bytes;
        state.messages.insert(number, (party, bytes));
        Reservation { room: self.clone(), number }
    }

    /// Lets a message have so many bytes in all, if there is room.
    fn grow(&self, number: u64, bytes: usize) -> bool {
        let mut state = self.state.lock();
        let Some((party, has)) = state.messages.get(&number) else { return false };
        let more = bytes.saturating_sub(*has);
        let free = self.limit.saturating_sub(state.used);
        let common = free.saturating_sub(self.set_aside);
        let own = state.of(party);
        let fair = own.saturating_add(more) <= common.saturating_sub(more);
        let granted = fair
            || more <= common && state.oldest_of(party) == Some(number)
            || more <= free && state.messages.keys().next() == Some(&number);
        if granted {
            state.used += more;
            if let Some((_, has)) = state.messages.get_mut(&number) {
                *has += more;
            }
        }
        granted
    }
}

impl State {
    fn of(&self, party: &Party) -> usize {
        self.messages.values().filter(|(other, _)| other == party).map(|(_, bytes)| bytes).sum()
    }

    fn oldest_of(&self, party: &Party) -> Option<u64> {
        self.messages.iter().find(|(_, (other, _))| other == party).map(|(number, _)| *number)
    }
}

impl Reservation {
    /// Waits until the message can have so many bytes in all.
    pub(super) async fn grow(&self, bytes: usize) {
        loop {
            let freed = self.room.freed.notified();
            if self.room.grow(self.number, bytes) {
                return;
            }
            freed.await;
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut state = self.room.state.lock();
        if let Some((_, bytes)) = state.messages.remove(&self.number) {
            state.used -= bytes;
        }
        drop(state);
        self.room.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(name: &str) -> Party {
        Party::Directory(name.into())
    }

    #[test]
    fn nobody_gets_more_than_is_left_to_others() {
        let room = Room::new(1_000, 0);
        let mut held = Vec::new();
        while let Ok(one) = room.take(party("a"), 10) {
            held.push(one);
        }
        assert_eq!(held.len(), 50);
        assert_eq!(room.take(party("a"), 10).map(drop), Err(NoRoom::ForParty));
        while let Ok(one) = room.take(party("b"), 10) {
            held.push(one);
        }
        assert_eq!(held.len(), 75);
        assert!(room.take(party("c"), 200).is_ok());
        assert_eq!(room.take(party("c"), 300).map(drop), Err(NoRoom::ForAnybody));
        held.clear();
        assert_eq!(room.state.lock().used, 0);
        // What is longer than there is room at all goes out alone.
        let long = room.take(party("a"), 5_000);
        assert!(long.is_ok() && room.take(party("b"), 1).is_err());
    }

    #[test]
    fn of_messages_that_grow_one_can_always_come_to_its_end() {
        let (limit, longest, step) = (1_000, 100, 10);
        let room = Room::new(limit, longest);
        let mut growing: Vec<_> = (0..60).map(|number| (room.enter(party(["a", "b"][number % 2])), 0)).collect();
        let mut ended = 0;
        while !growing.is_empty() {
            let before = (ended, growing.iter().map(|(_, has)| has).sum::<usize>());
            for (held, has) in &mut growing {
                *has += if room.grow(held.number, *has + step) { step } else { 0 };
                assert!(room.state.lock().used <= limit);
            }
            growing.retain(|(_, has)| *has < longest);
            ended = 60 - growing.len();
            let after = (ended, growing.iter().map(|(_, has)| has).sum::<usize>());
            assert_ne!(before, after, "nothing moves any more");
        }
        assert_eq!(room.state.lock().used, 0);
    }
}
