//! The layout of the storage: every key that there is, and how texts become parts of keys.
//!
//! | key | value |
//! |---|---|
//! | `schema` | the number of this layout, [`SCHEMA`]; `>5` while a storage of an older layout is brought to layout 5 |
//! | `schema/upgrade` | how far that is, see [`super::records::UpgradeRecord`] |
//! | `s` | the settings of the site; absent while they are the default |
//! | `d/{directory}` | a directory: name and settings |
//! | `dr/{directory}` | the project rules of a directory; absent while it has none |
//! | `dn/{name}` | the id of the directory that has this name |
//! | `dc/{directory}` | what the directory has: counts of users, groups, memberships; the last block of each kind, see `ub` |
//! | `ds/{directory}` | how its requests went lately, see [`crate::directories::activity::StatusRecord`]; absent before the first |
//! | `rl/{directory}/{sequence}` | a request in the directory's log |
//! | `rb/{directory}/{sequence}` | the body of a request in the log, where it was captured |
//! | `hd/{directory}/{id}` | a user or group whose deletion or deactivation is held |
//! | `fg/{directory}/{id}` | a user or group whose customer or organization was erased, while the log may name it |
//! | `k/{directory}/{key}` | an API key: the hash of its secret, when it expires |
//! | `sl/{directory}/{link}` | a set-up link: the hash of its secret, when it expires, whether it was used |
//! | `u/{directory}/{user}` | a SCIM user, see [`super::records`] |
//! | `un/{directory}/{userName}` | the id of the user that has this name |
//! | `ue/{directory}/{email}!{user}` | empty; one for each email address of the user |
//! | `ux/{directory}/{externalId}!{user}` | empty |
//! | `ub/{directory}/{user}` | how many users there are from this id on to the next such key, or to the last block; the first key has no id. See [`super::blocks`] |
//! | `g/{directory}/{group}` | a SCIM group, see [`super::records`] |
//! | `gn/{directory}/{displayName}` | the id of the group that has this name |
//! | `gx/{directory}/{externalId}!{group}` | empty |
//! | `gb/{directory}/{group}` | how many groups there are from this id on, as in `ub` |
//! | `gs/{directory}/{members}/{group}` | empty; one for each group that has members, ten digits for how many |
//! | `cf/{directory}/{group}` | an open conflict: the group is left apart from the local organization of its name, or another group has the same name |
//! | `cf/{directory}/{user}`, `cf/site/{id}` | likewise: another user, customer, organization or directory has the same name |
//! | `cf/{directory}/{id}` | likewise: a group was refused because a local organization has its name; the id is its own |
//! | `cr/{directory}/{name}` | the id of the conflict of the refused group of this name |
//! | `ca/{directory}/{group}` | an organization that was adopted for the group when it was pushed: who came and who went |
//! | `ce/{directory}/{group}` | a group that an administrator has left apart, so that it is no open conflict |
//! | `ul/{directory}/{user}` | why the user is linked to no customer; there is one for every such user |
//! | `m/{group}/{user}` | empty; a membership, read from the group. `+` if it is planned, see `ma` |
//! | `mo/{user}/{group}` | empty; the same membership, read from the user |
//! | `m/s:{group}/{user}`, `mo/{user}/s:{group}` | empty; a membership that has ended in the group, but not on the site: the directory is staged |
//! | `ma/{group}/{user}` | empty; a membership of a linked group that the site does not know yet: the directory is staged |
//! | `m/o:{organization}/{customer}`, `mo/{customer}/o:{organization}` | an organization's own membership; empty, or the end of a probation |
//! | `pl/{directory}/{id}` | what a staged directory plans for a user or group, see [`super::records::PlannedRecord`] |
//! | `pn/{directory}/{kind}/{name}!{id}` | empty; the same by kind and name. What is blocked has a kind of its own |
//! | `pg/{directory}/{run}/{turn}/{name}!{person}` | the projects that somebody gains (`g`) or loses (`l`) by the plan, as worked out in this run |
//! | `pr/{directory}` | how far that is, and how many they are, see [`super::records::PlanAccessRecord`] |
//! | `ap/{directory}` | how the last apply goes or went, see [`super::records::ApplyRecord`] |
//! | `we/{email}`, `wc/{customer}` | the staged directories, with their users, that want this address, or this local customer |
//! | `wn/{name}`, `wo/{organization}` | likewise of groups, and names and local organizations |
//! | `ws` | how many directories are staged; absent while none is |
//! | `cu/{customer}` | a customer |
//! | `cm/{email}` | the id of the customer that has this email address |
//! | `ch/{directory}/{customer}` | empty; the directory manages the customer. `ch/site/{customer}` for a local one; see `dg` |
//! | `ci/{customer}` | empty; the customer is deactivated |
//! | `cw/{word}!{customer}` | empty; one for each word of the display name, up to a number of them |
//! | `cn/{directory}/{customer}` | how many users of the directory were unlinked from the customer by an administrator |
//! | `uc/{user}` | the id of the customer that the user is linked to |
//! | `og/{group}` | the number of the organization that the group is linked to |
//! | `o/{organization}` | an organization |
//! | `on/{name}` | the id of the organization that has this name |
//! | `oh/{directory}/{organization}` | empty; the directory manages the organization. `oh/site/{organization}` for a local one; see `dg` |
//! | `ow/{word}!{organization}` | empty; one for each word of the name, up to a number of them |
//! | `dg/{directory}` | empty; the directory was disconnected, and upkeep has still to move what it managed to `ch/site/` and `oh/site/` |
//! | `sc/{directory}` | how many organizations and deactivated customers the directory manages, see [`super::records::ManagedCounts`]; `sc/site` for how much is local; absent while that is nothing |
//! | `p/{project}` | a project |
//! | `pk/{key}` | the id of the project that has this key |
//! | `pa/{project}` | empty; the project is open to every customer |
//! | `po/{project}/{organization}`, `op/{organization}/{project}` | empty; an association, read from either end |
//! | `pc/{project}/{customer}`, `cp/{customer}/{project}` | empty; likewise for a project's own customers |
//! | `rc/{customer}` | a deleted customer that can be restored |
//! | `ro/{organization}` | a deleted organization that can be restored |
//! | `hc/{customer}/{sequence}`, `ho/{organization}/{sequence}` | the values that this entry of the change feed is about, before and after, see [`super::feed::ValueChange`]; for every entry about the state of a customer or an organization |
//! | `n/{kind}` | the last number given to an organization or project |
//! | `c/{sequence}` | an entry of the change feed |
//! | `cl` | the sequence number of the last entry |
//! | `t/{time}/{what}` | something to do when its time has come, see [`super::records::Due`] |
//! | `w/{directory}/{id}` | something deleted that `upkeep` has still to sweep; `w/site/{id}` for what belongs to no directory |
//!
//! Ids are 20 letters and digits: 45 bits of milliseconds since the Unix epoch, then 55 random bits. Key order is
//! therefore the order of creation. A membership needs no directory in its key because ids are unique on the site.
//!
//! Organizations and projects have numbers for ids, ten digits in keys. The members of an organization that is linked
//! to a group are the group's. It has members of its own while it is local: [`own_members`] says under which name they
//! are kept. While it is managed, they are customers whose users were deleted: such a membership is empty until the
//! customer is restored, and then holds a time, in milliseconds since the Unix epoch, until which it counts. Without a
//! time it does not count.
//!
//! While `w/{directory}/{directory}` says that a directory is being removed, everything linked to it is out of sight.
//!
//! Texts from outside (names, addresses) are folded before they are encoded, so that the index compares them as filters
//! do. External ids are not folded: they are case-sensitive. [`encode`] keeps their byte order: a prefix of a text is a
//! prefix of its key. A list in key order is therefore a list in text order.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::storage::MAX_KEY_BYTES;
use crate::text::fold;

/// The number of this layout. A storage with an older one is brought to it by upkeep, see [`crate::upkeep`]; one with
/// any other layout is refused.
///
/// | layout | what it brought |
/// |---|---|
/// | 1 | all of the above |
/// | 2 | names and addresses compare by the mapping steps of PRECIS (see [`crate::text`]); only what is an address leads to a customer; probation has an end |
/// | 3 | customers and organizations can be searched; groups are in the order of their sizes; unlinked users are counted by reason |
/// | 4 | staged directories and their plans, in place of the dry run |
/// | 5 | users and groups are counted by blocks of ids |
pub const SCHEMA: &str = "5";

/// Layouts from which upkeep can bring a storage to this one: older ones, and those that mark an unfinished upgrade, of
/// this version or of the one before.
pub const OLDER_SCHEMAS: [&str; 8] = ["1", "1>2", "2", ">3", "3", ">4", "4", UPGRADING_SCHEMA];

/// What stands in the place of the number while a storage is brought to this layout, so that no version takes it for
/// any other.
pub const UPGRADING_SCHEMA: &str = ">5";

/// Where the progress of an upgrade is kept.
pub const UPGRADE_KEY: &str = "schema/upgrade";

/// Where [`SCHEMA`] is kept.
pub const SCHEMA_KEY: &str = "schema";

/// Where the settings of the site are kept.
pub const SITE_SETTINGS_KEY: &str = "s";

/// Where the sequence number of the last change is kept.
pub const LAST_CHANGE_KEY: &str = "cl";

/// How many characters an id has.
pub const ID_LENGTH: usize = 20;

/// What separates a text from the id that follows it. It sorts below everything that [`encode`] returns, so that a text
/// sorts before all longer texts that begin with it.
const END_OF_TEXT: &str = "!";

/// The digits of ids, in ASCII order (RFC 4648, "base32hex", in lower case).
const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// A new id from the time in milliseconds since the Unix epoch and random bits.
#[must_use]
pub fn new_id(milliseconds: u64, random: u64) -> String {
    let bits = (u128::from(milliseconds & ((1 << 45) - 1)) << 55) | u128::from(random & ((1 << 55) - 1));
    (0..ID_LENGTH).rev().map(|digit| char::from(DIGITS[((bits >> (digit * 5)) & 31) as usize])).collect()
}

/// An id for something made later from what has this id: with another time, but the same random bits.
#[must_use]
pub fn another_id(id: &str, milliseconds: u64) -> String {
    let digit = |byte: u8| DIGITS.iter().position(|digit| *digit == byte).unwrap_or_default() as u64;
    // The upper bits fall out: only the random ones are taken.
    let random = id.bytes().fold(0_u64, |bits, byte| (bits << 5) | digit(byte));
    new_id(milliseconds, random)
}

/// Whether a text from outside has the form of an id. Any other text never gets into a key.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v'))
}

/// A text as part of a key: ASCII, in the same order as its bytes. Printable bytes stand for themselves; those at
/// either end of the range become `#xx` and `~xx`, which sort below and above all of them.
#[must_use]
pub fn encode(text: &str) -> String {
    encoded(text).into_owned()
}

/// As [`encode`], without a copy if all bytes stand for themselves.
fn encoded(text: &str) -> Cow<'_, str> {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    if text.bytes().all(|byte| matches!(byte, 0x24..=0x7d)) {
        return Cow::Borrowed(text);
    }
    let mut key = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        let escape = match byte {
            0x00..=0x23 => '#',
            0x24..=0x7d => {
                key.push(char::from(byte));
                continue;
            }
            _ => '~',
        };
        key.push(escape);
        key.push(char::from(HEX[usize::from(byte >> 4)]));
        key.push(char::from(HEX[usize::from(byte & 15)]));
    }
    Cow::Owned(key)
}

/// The text from which [`encode`] has made this part of a key; `None` if there is no such text.
#[must_use]
pub fn decode(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'#' | b'~' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

/// A name as it is compared: without blanks around it, and [folded](crate::text::fold).
#[must_use]
pub fn comparable(name: &str) -> String {
    fold(name.trim()).to_string()
}

/// A bound that sorts after all keys that begin with `prefix`.
#[must_use]
pub fn after(prefix: &str) -> String {
    // Keys are ASCII and hold no byte 0x7f.
    format!("{prefix}\u{7f}")
}

/// A bound that sorts after this key, but before all keys that follow it, even those that begin with it.
#[must_use]
pub fn next(key: &str) -> String {
    // No byte of a key is as low as a space.
    [key, " "].concat()
}

/// The key of a directory.
#[must_use]
pub fn directory(directory: &str) -> String {
    ["d/", directory].concat()
}

/// The key of a directory's project rules.
#[must_use]
pub fn project_rules(directory: &str) -> String {
    ["dr/", directory].concat()
}

/// The key of a directory's name.
#[must_use]
pub fn directory_name(name: &str) -> String {
    ["dn/", &encode(&comparable(name))].concat()
}

/// The key of a directory's counts.
#[must_use]
pub fn counts(directory: &str) -> String {
    ["dc/", directory].concat()
}

/// The key of a group's conflict.
#[must_use]
pub fn conflict(directory: &str, group: &str) -> String {
    ["cf/", directory, "/", group].concat()
}

/// The key of the conflict of a refused group of this name.
#[must_use]
pub fn refused_group(directory: &str, name: &str) -> String {
    [&refused_groups(directory), encode(&comparable(name)).as_str()].concat()
}

/// What the keys of the conflicts of refused groups begin with.
#[must_use]
pub fn refused_groups(directory: &str) -> String {
    ["cr/", directory, "/"].concat()
}

/// The key of the adoption of a group's organization.
#[must_use]
pub fn adoption(directory: &str, group: &str) -> String {
    [&adoptions(directory), group].concat()
}

/// What the keys of all adoptions of a directory begin with.
#[must_use]
pub fn adoptions(directory: &str) -> String {
    ["ca/", directory, "/"].concat()
}

/// The key of a group that an administrator has left apart.
#[must_use]
pub fn left_apart(directory: &str, group: &str) -> String {
    [&all_left_apart(directory), group].concat()
}

/// What the keys of the groups of a directory begin with that an administrator has left apart.
#[must_use]
pub fn all_left_apart(directory: &str) -> String {
    ["ce/", directory, "/"].concat()
}

/// What the keys of a directory's conflicts begin with.
#[must_use]
pub fn conflicts(directory: &str) -> String {
    ["cf/", directory, "/"].concat()
}

/// The key of why a user is linked to no customer.
#[must_use]
pub fn unlinked(directory: &str, user: &str) -> String {
    ["ul/", directory, "/", user].concat()
}

/// What the keys begin with that say why users of a directory are linked to no customer.
#[must_use]
pub fn all_unlinked(directory: &str) -> String {
    ["ul/", directory, "/"].concat()
}

/// The key of what a directory remembers of its requests.
#[must_use]
pub fn status(directory: &str) -> String {
    ["ds/", directory].concat()
}

/// The key of a request in a directory's log.
#[must_use]
pub fn logged(directory: &str, sequence: u64) -> String {
    log(directory) + &sequence_digits(sequence)
}

/// What the keys of all requests in a directory's log begin with.
#[must_use]
pub fn log(directory: &str) -> String {
    ["rl/", directory, "/"].concat()
}

/// The key of the captured body of a request in a directory's log.
#[must_use]
pub fn body(directory: &str, sequence: u64) -> String {
    bodies(directory) + &sequence_digits(sequence)
}

/// What the keys of all captured bodies of a directory begin with.
#[must_use]
pub fn bodies(directory: &str) -> String {
    ["rb/", directory, "/"].concat()
}

/// The key of a user or group whose deletion or deactivation is held.
#[must_use]
pub fn held(directory: &str, id: &str) -> String {
    ["hd/", directory, "/", id].concat()
}

/// What the keys of all whose deletion or deactivation is held in a directory begin with.
#[must_use]
pub fn all_held(directory: &str) -> String {
    ["hd/", directory, "/"].concat()
}

/// The key of a user or group that the log of its directory has still to forget.
#[must_use]
pub fn to_forget(directory: &str, id: &str) -> String {
    [ALL_TO_FORGET, directory, "/", id].concat()
}

/// What the keys of all that a directory's log has still to forget begin with.
#[must_use]
pub fn all_to_forget(directory: &str) -> String {
    [ALL_TO_FORGET, directory, "/"].concat()
}

/// What the keys of all that some log has still to forget begin with.
pub const ALL_TO_FORGET: &str = "fg/";

/// The key of a group in the order of sizes.
#[must_use]
pub fn size(directory: &str, members: u32, group: &str) -> String {
    format!("{}{members:010}/{group}", sizes(directory))
}

/// What the keys of a directory's groups in the order of sizes begin with.
#[must_use]
pub fn sizes(directory: &str) -> String {
    ["gs/", directory, "/"].concat()
}

/// The key of an API key.
#[must_use]
pub fn api_key(directory: &str, key: &str) -> String {
    ["k/", directory, "/", key].concat()
}

/// What the keys of all API keys of a directory begin with.
#[must_use]
pub fn api_keys(directory: &str) -> String {
    ["k/", directory, "/"].concat()
}

/// The key of a set-up link.
#[must_use]
pub fn setup_link(directory: &str, link: &str) -> String {
    ["sl/", directory, "/", link].concat()
}

/// What the keys of all set-up links of a directory begin with.
#[must_use]
pub fn setup_links(directory: &str) -> String {
    ["sl/", directory, "/"].concat()
}

/// The key of an entry of the change feed.
#[must_use]
pub fn change(sequence: u64) -> String {
    [ALL_CHANGES, &sequence_digits(sequence)].concat()
}

/// A sequence number or a time as it stands in keys: all of one length, so that key order is the order of numbers.
#[must_use]
pub fn sequence_digits(number: u64) -> String {
    digits::<20>(number)
}

/// The last digits of a number, with zeros in front. Every request makes several such keys, so nothing is formatted.
fn digits<const N: usize>(mut number: u64) -> String {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    core::str::from_utf8(&digits).unwrap_or_default().to_string()
}

/// What the keys of all entries of the change feed begin with.
pub const ALL_CHANGES: &str = "c/";

/// What the keys of a customer's history begin with; the sequence number of a change, in 20 digits, follows it.
#[must_use]
pub fn customer_history(customer: &str) -> String {
    ["hc/", customer, "/"].concat()
}

/// What the keys of an organization's history begin with; the sequence number of a change, in 20 digits, follows it.
#[must_use]
pub fn organization_history(organization: u64) -> String {
    ["ho/", &number(organization), "/"].concat()
}

/// The key of a membership as read from the group.
#[must_use]
pub fn member(group: &str, user: &str) -> String {
    ["m/", group, "/", user].concat()
}

/// What the keys of all memberships of a group begin with.
#[must_use]
pub fn members(group: &str) -> String {
    ["m/", group, "/"].concat()
}

/// The key of a membership as read from the user.
#[must_use]
pub fn member_of(user: &str, group: &str) -> String {
    ["mo/", user, "/", group].concat()
}

/// The holder of members who have left a group while its directory was staged: they are still members on the site. It
/// stands in the place of the group.
#[must_use]
pub fn staying_members(group: &str) -> String {
    [STAYING, group].concat()
}

/// What the names of all such holders begin with. No id begins with it.
const STAYING: &str = "s:";

/// The group whose members are kept under this name: the group itself, or one that they have left while its directory
/// was staged.
#[must_use]
pub fn group_of_holder(holder: &str) -> &str {
    holder.strip_prefix(STAYING).unwrap_or(holder)
}

/// What the keys of the memberships begin with that a user has left while its directory was staged.
#[must_use]
pub fn staying_memberships(user: &str) -> String {
    ["mo/", user, "/", STAYING].concat()
}

/// The key of a membership that the site does not know yet.
#[must_use]
pub fn planned_member(group: &str, user: &str) -> String {
    planned_members(group) + user
}

/// What the keys of all memberships of a group begin with that the site does not know yet.
#[must_use]
pub fn planned_members(group: &str) -> String {
    ["ma/", group, "/"].concat()
}

/// The key of what is planned for a user or group.
#[must_use]
pub fn planned(directory: &str, id: &str) -> String {
    all_planned(directory) + id
}

/// What the keys of all that a directory plans begin with.
#[must_use]
pub fn all_planned(directory: &str) -> String {
    ["pl/", directory, "/"].concat()
}

/// How many bytes of a name are in the key by which what is planned for it is found.
const MAX_PLANNED_NAME_BYTES: usize = 400;

/// The key of what is planned for a user or group, by kind and name.
#[must_use]
pub fn planned_name(directory: &str, kind: &str, name: &str, id: &str) -> String {
    [&planned_names(directory, kind, name.trim()), END_OF_TEXT, id].concat()
}

/// What the keys begin with of what is planned, of one kind, for those with names that begin with `prefix`.
#[must_use]
pub fn planned_names(directory: &str, kind: &str, prefix: &str) -> String {
    ["pn/", directory, "/", kind, "/", &named(prefix)].concat()
}

/// A name, or the beginning of one, as it stands in the keys of a plan.
fn named(name: &str) -> String {
    let folded = fold(name.trim_start());
    encode(&folded[..folded.floor_char_boundary(MAX_PLANNED_NAME_BYTES)])
}

/// The key of the projects that somebody gains or loses by the plan, as one run has worked out.
#[must_use]
pub fn plan_access(directory: &str, run: u64, turn: &str, name: &str, person: &str) -> String {
    [&plan_access_of(directory, run, turn, name), END_OF_TEXT, person].concat()
}

/// What the keys begin with of those who gain or lose projects and whose names begin with `prefix`.
#[must_use]
pub fn plan_access_of(directory: &str, run: u64, turn: &str, prefix: &str) -> String {
    [&all_plan_access(directory), sequence_digits(run).as_str(), "/", turn, "/", &named(prefix)].concat()
}

/// What the keys of all such begin with, of every run.
#[must_use]
pub fn all_plan_access(directory: &str) -> String {
    ["pg/", directory, "/"].concat()
}

/// The key of how far it has been worked out who gains or loses projects.
#[must_use]
pub fn plan_access_run(directory: &str) -> String {
    ["pr/", directory].concat()
}

/// The key of how the last apply goes or went.
#[must_use]
pub fn apply(directory: &str) -> String {
    ["ap/", directory].concat()
}

/// The key of who wants an address, as it is compared.
#[must_use]
pub fn wanted_address(address: &str) -> String {
    ["we/", &encode(address)].concat()
}

/// The key of who wants a local customer.
#[must_use]
pub fn wanted_customer(customer: &str) -> String {
    ["wc/", customer].concat()
}

/// The key of who wants a name, as it is compared, for an organization.
#[must_use]
pub fn wanted_name(name: &str) -> String {
    ["wn/", &encode(name)].concat()
}

/// The key of who wants a local organization.
#[must_use]
pub fn wanted_organization(organization: u64) -> String {
    ["wo/", &number(organization)].concat()
}

/// The key of how many directories are staged.
pub const STAGED_DIRECTORIES_KEY: &str = "ws";

/// What the keys of the addresses of customers and of the names of organizations begin with, and what those begin with that say
/// who wants the address or name, and the customer or organization that has it.
pub const WATCHED: [(&str, &str, &str); 2] = [("cm/", "we/", "wc/"), ("on/", "wn/", "wo/")];

/// What the keys of all customers and organizations begin with, by who manages them, and of customers that are deactivated;
/// and what those begin with that say who wants one.
pub const WATCHED_HOLDERS: [(&str, &str); 3] = [("ch/", "wc/"), ("oh/", "wo/"), (INACTIVE_CUSTOMERS, "wc/")];

/// The holder of an organization's own members, in the place of a group: `o:{organization}`, or
/// `o:{organization}:{group}` for those that it got after it had been linked to that group. This way, earlier members
/// can never come back.
#[must_use]
pub fn own_members(organization: u64, group: Option<&str>) -> String {
    match group {
        None => [OWN, &number(organization)].concat(),
        Some(group) => [OWN, &number(organization), ":", group].concat(),
    }
}

/// What the names of all holders of an organization's own members begin with. No id begins with it.
const OWN: &str = "o:";

/// The organization whose own members are kept under this name; `None` for a group.
#[must_use]
pub fn owner(holder: &str) -> Option<u64> {
    holder.strip_prefix(OWN)?.split(':').next()?.parse().ok()
}

/// Whether a text from outside has the form of what holds members: the id of a group, or the name of an organization's own
/// holder.
#[must_use]
pub fn is_holder(text: &str) -> bool {
    let Some(own) = text.strip_prefix(OWN) else { return is_id(group_of_holder(text)) };
    let (organization, group) =
        own.split_once(':').map_or((own, None), |(organization, group)| (organization, Some(group)));
    organization.len() == 10 && organization.bytes().all(|byte| byte.is_ascii_digit()) && group.is_none_or(is_id)
}

/// What the keys of all own memberships of organizations begin with, as read from the organization.
pub const ALL_OWN_MEMBERS: &str = "m/o:";

/// What the keys of a customer's own memberships of organizations begin with, as read from the customer.
#[must_use]
pub fn own_memberships(customer: &str) -> String {
    ["mo/", customer, "/", OWN].concat()
}

/// What the keys of all memberships of a user begin with.
#[must_use]
pub fn memberships(user: &str) -> String {
    ["mo/", user, "/"].concat()
}

/// The two ids in the key of a membership or a sweep, in the order of the key.
#[must_use]
pub fn two_ids(key: &str) -> Option<(&str, &str)> {
    key.split_once('/')?.1.split_once('/')
}

/// The key of a customer.
#[must_use]
pub fn customer(customer: &str) -> String {
    ["cu/", customer].concat()
}

/// What the keys of all customers begin with.
pub const ALL_CUSTOMERS: &str = "cu/";

/// The key of a customer's email address.
#[must_use]
pub fn customer_email(address: &str) -> String {
    ["cm/", &encode(&comparable(address))].concat()
}

/// What the keys of all email addresses begin with that begin with an already folded text. The value of each is the
/// customer.
#[must_use]
pub fn customer_emails(folded: &str) -> String {
    ["cm/", &encoded(folded)].concat()
}

/// The key that says whom a directory manages, or who is local: then the directory is [`SITE`].
#[must_use]
pub fn customer_held(directory: &str, customer: &str) -> String {
    ["ch/", directory, "/", customer].concat()
}

/// What the keys of all customers begin with that a directory manages, or the site.
#[must_use]
pub fn customers_held(directory: &str) -> String {
    ["ch/", directory, "/"].concat()
}

/// The key that a customer has while it is deactivated.
#[must_use]
pub fn inactive_customer(customer: &str) -> String {
    [INACTIVE_CUSTOMERS, customer].concat()
}

/// What the keys of all deactivated customers begin with.
pub const INACTIVE_CUSTOMERS: &str = "ci/";

/// The key of a folded word of a customer's name.
#[must_use]
pub fn customer_word(word: &str, customer: &str) -> String {
    ["cw/", &encoded(word), END_OF_TEXT, customer].concat()
}

/// What the keys of all words of customers' names begin with that begin with a folded text.
#[must_use]
pub fn customer_words(folded: &str) -> String {
    ["cw/", &encoded(folded)].concat()
}

/// The key that says that users of a directory were unlinked from a customer.
#[must_use]
pub fn unlinked_customer(directory: &str, customer: &str) -> String {
    ["cn/", directory, "/", customer].concat()
}

/// What the keys of all customers begin with from which users of a directory were unlinked.
#[must_use]
pub fn unlinked_customers(directory: &str) -> String {
    ["cn/", directory, "/"].concat()
}

/// The key of a user's customer.
#[must_use]
pub fn customer_of(user: &str) -> String {
    ["uc/", user].concat()
}

/// The key of a group's organization.
#[must_use]
pub fn organization_of(group: &str) -> String {
    ["og/", group].concat()
}

/// The key of a deleted customer.
#[must_use]
pub fn deleted_customer(customer: &str) -> String {
    [ALL_DELETED_CUSTOMERS, customer].concat()
}

/// What the keys of all deleted customers begin with.
pub const ALL_DELETED_CUSTOMERS: &str = "rc/";

/// The key of a deleted organization.
#[must_use]
pub fn deleted_organization(organization: u64) -> String {
    [ALL_DELETED_ORGANIZATIONS, &number(organization)].concat()
}

/// What the keys of all deleted organizations begin with.
pub const ALL_DELETED_ORGANIZATIONS: &str = "ro/";

/// A number as it stands in keys: all of one length, so that key order is the order of numbers.
#[must_use]
pub fn number(number: u64) -> String {
    digits::<10>(number)
}

/// The key of an organization.
#[must_use]
pub fn organization(organization: u64) -> String {
    ["o/", &number(organization)].concat()
}

/// What the keys of all organizations begin with.
pub const ALL_ORGANIZATIONS: &str = "o/";

/// The key of an organization's name.
#[must_use]
pub fn organization_name(name: &str) -> String {
    ["on/", &encode(&comparable(name))].concat()
}

/// What the keys of all names of organizations begin with that begin with an already folded text. The value of each is
/// the organization.
#[must_use]
pub fn organization_names(folded: &str) -> String {
    ["on/", &encoded(folded)].concat()
}

/// The key that says which organizations a directory manages, or which are local: then the directory is [`SITE`].
#[must_use]
pub fn organization_held(directory: &str, organization: u64) -> String {
    ["oh/", directory, "/", &number(organization)].concat()
}

/// What the keys of all organizations begin with that a directory manages, or the site.
#[must_use]
pub fn organizations_held(directory: &str) -> String {
    ["oh/", directory, "/"].concat()
}

/// The key of a folded word of an organization's name.
#[must_use]
pub fn organization_word(word: &str, organization: u64) -> String {
    ["ow/", &encoded(word), END_OF_TEXT, &number(organization)].concat()
}

/// What the keys of all words of organizations' names begin with that begin with a folded text.
#[must_use]
pub fn organization_words(folded: &str) -> String {
    ["ow/", &encoded(folded)].concat()
}

/// The key that a disconnected directory has until what it managed is moved to the site.
#[must_use]
pub fn gone_directory(directory: &str) -> String {
    [GONE_DIRECTORIES, directory].concat()
}

/// What the keys of all disconnected directories begin with, of which something is still to be moved to the site.
pub const GONE_DIRECTORIES: &str = "dg/";

/// The key of how much a directory manages, or how much is local: then the directory is [`SITE`].
#[must_use]
pub fn managed_counts(directory: &str) -> String {
    [ALL_MANAGED_COUNTS, directory].concat()
}

/// What the keys of how much directories manage, and how much is local, begin with.
pub const ALL_MANAGED_COUNTS: &str = "sc/";

/// The key of a project.
#[must_use]
pub fn project(project: u64) -> String {
    ["p/", &number(project)].concat()
}

/// What the keys of all projects begin with.
pub const ALL_PROJECTS: &str = "p/";

/// The key of a project's key.
#[must_use]
pub fn project_key(key: &str) -> String {
    ["pk/", &encode(&comparable(key))].concat()
}

/// The key that a project has while it is open to every customer.
#[must_use]
pub fn open_project(project: u64) -> String {
    [OPEN_PROJECTS, &number(project)].concat()
}

/// What the keys of the projects that are open to every customer begin with.
pub const OPEN_PROJECTS: &str = "pa/";

/// A relation between a project and something of the site, kept under two keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Association {
    /// With organizations.
    Organization,
    /// With customers of its own.
    Customer,
}

impl Association {
    /// The keys of one association, from the project and from the other end.
    #[must_use]
    pub fn both(self, project: u64, other: &str) -> [String; 2] {
        [self.of_project(project) + other, self.of_other(other) + &number(project)]
    }

    /// What the keys of all associations of a project begin with.
    #[must_use]
    pub fn of_project(self, project: u64) -> String {
        let letter = match self {
            Association::Organization => "o",
            Association::Customer => "c",
        };
        ["p", letter, "/", &number(project), "/"].concat()
    }

    /// What the keys of all associations of the other end begin with, which is an organization or a customer.
    #[must_use]
    pub fn of_other(self, other: &str) -> String {
        let letter = match self {
            Association::Organization => "o",
            Association::Customer => "c",
        };
        [letter, "p/", other, "/"].concat()
    }
}

/// Where the last number given to an organization is kept.
pub const LAST_ORGANIZATION_KEY: &str = "n/organization";

/// Where the last number given to a project is kept.
pub const LAST_PROJECT_KEY: &str = "n/project";

/// What stands in the place of a directory for what belongs to no directory.
pub const SITE: &str = "site";

/// The key of what is left to sweep of something deleted.
#[must_use]
pub fn sweep(directory: &str, id: &str) -> String {
    ["w/", directory, "/", id].concat()
}

/// The key of what is left to sweep of an organization's history.
#[must_use]
pub fn history_sweep(organization: u64) -> String {
    sweep(SITE, &[OF_HISTORY, &number(organization)].concat())
}

/// The organization whose history is to be swept under this id; `None` if it is something else.
#[must_use]
pub fn swept_history(id: &str) -> Option<u64> {
    id.strip_prefix(OF_HISTORY)?.parse().ok()
}

/// What the ids of sweeps of histories begin with.
const OF_HISTORY: &str = "h:";

/// What the keys of all that is left to sweep in a directory begin with.
#[must_use]
pub fn sweeps(directory: &str) -> String {
    ["w/", directory, "/"].concat()
}

/// What the keys of all that is left to sweep begin with.
pub const ALL_SWEEPS: &str = "w/";

/// The key of something to do at a time, in milliseconds since the Unix epoch. `what` distinguishes it from other
/// things to do at that time.
#[must_use]
pub fn due(time: u64, what: &str) -> String {
    [ALL_DUE, &sequence_digits(time), "/", what].concat()
}

/// What the keys of all that is to do at some time begin with, soonest first.
pub const ALL_DUE: &str = "t/";

/// What the keys of all directories begin with.
pub const ALL_DIRECTORIES: &str = "d/";

/// The keys of one resource type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Users.
    User,
    /// Groups.
    Group,
}

impl Kind {
    const fn letter(self) -> &'static str {
        match self {
            Kind::User => "u",
            Kind::Group => "g",
        }
    }

    /// The key of a resource.
    #[must_use]
    pub fn resource(self, directory: &str, id: &str) -> String {
        [self.letter(), "/", directory, "/", id].concat()
    }

    /// What the keys of all resources of this kind begin with.
    #[must_use]
    pub fn resources(self, directory: &str) -> String {
        [self.letter(), "/", directory, "/"].concat()
    }

    /// The key of a unique name: `userName`, `displayName` of a group.
    #[must_use]
    pub fn name(self, directory: &str, name: &str) -> String {
        [self.letter(), "n/", directory, "/", &encode(&comparable(name))].concat()
    }

    /// What the keys of all names that begin with `prefix` begin with.
    #[must_use]
    pub fn names(self, directory: &str, prefix: &str) -> String {
        [self.letter(), "n/", directory, "/", &encode(&fold(prefix))].concat()
    }

    /// What the keys of all resources with this external id begin with; the id of each follows it.
    #[must_use]
    pub fn external_id(self, directory: &str, external_id: &str) -> String {
        [self.letter(), "x/", directory, "/", &encode(external_id), END_OF_TEXT].concat()
    }

    /// The key of a closed block of ids that begins with this one.
    #[must_use]
    pub fn block(self, directory: &str, from: &str) -> String {
        self.blocks(directory) + from
    }

    /// What the keys of all closed blocks of ids begin with.
    #[must_use]
    pub fn blocks(self, directory: &str) -> String {
        [self.letter(), "b/", directory, "/"].concat()
    }

    /// What the keys of all indexes of a kind begin with, for sweeping a directory.
    #[must_use]
    pub fn indexes(self, directory: &str) -> [String; 4] {
        ["n", "x", "e", "b"].map(|index| [self.letter(), index, "/", directory, "/"].concat())
    }
}

/// What the keys of all users with this email address begin with; the id of each follows it.
#[must_use]
pub fn email(directory: &str, address: &str) -> String {
    ["ue/", directory, "/", &encode(&comparable(address)), END_OF_TEXT].concat()
}

/// Whether a key is short enough to be in the storage. A key made longer by a client's long text is the key of nothing.
#[must_use]
pub fn is_storable(key: &str) -> bool {
    key.len() <= MAX_KEY_BYTES
}

/// The id at the end of a key.
#[must_use]
pub fn id_of(key: &str) -> &str {
    // By bytes: it is asked of every member of a group, and looking for text takes some ten times as long.
    let before = key.bytes().rposition(|byte| byte == b'/' || END_OF_TEXT.as_bytes().contains(&byte));
    before.and_then(|at| key.get(at + 1..)).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_sort_by_time_and_are_recognized() {
        let (early, late) = (new_id(1_000, u64::MAX), new_id(1_001, 0));
        assert!(early < late);
        assert!(is_id(&early) && is_id(&late));
        for text in ["", "short", "0123456789abcdefghij/", "0123456789ABCDEFGHIJ", "0123456789abcdefghi/"] {
            assert!(!is_id(text), "{text}");
        }
    }

    #[test]
    fn another_id_has_another_time_and_the_same_random_bits() {
        let random = 0x2b_c0de_dead_beef;
        assert_eq!(another_id(&new_id(1_000, random), 2_000), new_id(2_000, random));
        assert!(is_id(&another_id("", 0)));
    }

    #[test]
    fn holders_are_told_from_other_texts() {
        let id = new_id(7, 9);
        for holder in [id.clone(), own_members(42, None), own_members(42, Some(&id))] {
            assert!(is_holder(&holder), "{holder}");
        }
        for other in ["", "o:", "o:42", "o:000000004x", "o:0000000042:", "o:0000000042:x", "x"] {
            assert!(!is_holder(other), "{other}");
        }
    }

    #[test]
    fn numbers_in_keys_are_of_one_length() {
        for sequence in [0, 7, 1_234_567_890, u64::MAX] {
            assert_eq!(sequence_digits(sequence), format!("{sequence:020}"));
        }
        for organization in [0, 42, 9_999_999_999] {
            assert_eq!(number(organization), format!("{organization:010}"));
        }
    }

    #[test]
    fn the_id_is_read_back_from_every_key() {
        let id = new_id(7, 9);
        for key in [
            Kind::User.resource("d", &id),
            member("g", &id),
            format!("{}{id}", email("d", "A!/b@x")),
            format!("{}{id}", Kind::Group.external_id("d", "a/!b")),
        ] {
            assert_eq!(id_of(&key), id);
        }
    }

    #[test]
    fn nothing_is_between_a_key_and_the_next() {
        let (short, long) = (Kind::User.name("d", "user1"), Kind::User.name("d", "user1\0"));
        assert!(short < next(&short) && next(&short) < long && long < after(&short));
    }

    proptest! {
        #[test]
        fn encoding_keeps_the_order_of_bytes(a in any::<String>(), b in any::<String>()) {
            prop_assert_eq!(a.as_bytes().cmp(b.as_bytes()), encode(&a).cmp(&encode(&b)));
        }

        #[test]
        fn what_is_encoded_is_read_back(text in any::<String>(), other in "[#~0-9a-f]{0,6}") {
            prop_assert_eq!(decode(&encode(&text)), Some(text));
            // It must not panic, whatever a storage holds.
            let _ = decode(&other);
        }

        #[test]
        fn encoding_keeps_prefixes_and_is_ascii(a in any::<String>(), b in any::<String>()) {
            let joined = encode(&format!("{a}{b}"));
            prop_assert!(joined.starts_with(&encode(&a)));
            prop_assert!(joined.bytes().all(|byte| (b'"'..=b'~').contains(&byte)));
        }

        #[test]
        fn a_text_sorts_before_longer_ones_with_whatever_follows_it(a in any::<String>(), b in ".+") {
            let (short, long) = (Kind::User.external_id("d", &a), Kind::User.external_id("d", &(a + &b)));
            prop_assert!(short + "vvvv" < long);
        }
    }
}
