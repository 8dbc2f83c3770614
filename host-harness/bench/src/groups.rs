//! Operations on groups of several sizes, and on users in many groups.

use super::call::{Call, id_of};
use super::context::Bench;
use super::directory::{AT_ONCE, Directory};
use super::report::Section;
use super::sizes::{CALLS_PER_TURN, EVERYBODY, Filled, Sheet};
use std::time::Instant;

/// How many groups a user is in.
const GROUPS: [usize; 4] = [1, 10, 100, 1_000];

/// How often a group of each size is made and deleted.
const DELETIONS: usize = 5;

/// One member out of a group and in again.
pub(super) async fn member(bench: &mut Bench) -> Result<Section, String> {
    bench.sizes().await?;
    bench.progress.step("member: groups of several sizes");
    let (end, mut sheet) = (bench.end(), Sheet::by_members());
    let sizes = bench.sizes().await?;
    while Instant::now() < end {
        for filled in &mut sizes.0 {
            for _ in 0..CALLS_PER_TURN {
                let user = [filled.next_user()];
                let (group, size) = (&filled.everybody, filled.size);
                let client = &mut filled.directory.client;
                sheet.flat("PATCH remove one", size, client.time(&Call::remove_members(group, &user)).await?);
                sheet.flat("PATCH add one", size, client.time(&Call::add_members(group, &user)).await?);
            }
        }
    }
    Ok(Section::new("member").table(sheet.table("One member, one connection, durable")).note(WITHOUT_MEMBERS))
}

const WITHOUT_MEMBERS: &str = "All calls have `excludedAttributes=members`, so that the answer is the same at every \
    size; without it, groups of up to 100 members are answered whole and larger ones with 204.";

/// A thousand members into a group at once, and out again.
pub(super) async fn member_1000(bench: &mut Bench) -> Result<Section, String> {
    let sizes = bench.sizes().await?;
    for filled in &mut sizes.0 {
        filled.directory.fill(filled.size + AT_ONCE).await?;
        filled.directory.server.settle().await;
    }
    bench.progress.step("member-1000: groups of several sizes");
    let (end, mut sheet) = (bench.end(), Sheet::by_members());
    let sizes = bench.sizes().await?;
    while Instant::now() < end {
        for filled in &mut sizes.0 {
            let (group, size) = (&filled.everybody, filled.size);
            let outsiders = &filled.directory.users[size..];
            let client = &mut filled.directory.client;
            sheet.flat("PATCH add 1,000", size, client.time(&Call::add_members(group, outsiders)).await?);
            sheet.flat("PATCH remove 1,000", size, client.time(&Call::remove_members(group, outsiders)).await?);
        }
    }
    Ok(Section::new("member-1000").table(sheet.table("A thousand members in one request, one connection, durable")))
}

/// A group's own attributes, all its members, and its deletion.
pub(super) async fn group(bench: &mut Bench) -> Result<Section, String> {
    bench.sizes().await?;
    bench.progress.step("group: groups of several sizes");
    let (end, mut sheet) = (bench.end(), Sheet::by_members());
    let sizes = bench.sizes().await?;
    while Instant::now() < end {
        for filled in &mut sizes.0 {
            attributes(filled, &mut sheet).await?;
        }
    }
    for number in 0..DELETIONS {
        bench.progress.step(format!("group: deletion {} of {DELETIONS}", number + 1));
        let sizes = bench.sizes().await?;
        for filled in &mut sizes.0 {
            let id = filled.directory.group(&format!("Group to delete {number}"), filled.size).await?;
            // What adding so many members has left to do is not to be measured along with it.
            filled.directory.server.settle().await;
            let took = filled.directory.client.time(&Call::delete(format!("/Groups/{id}"))).await?;
            sheet.flat("DELETE group", filled.size, took);
        }
    }
    Ok(Section::new("group").table(sheet.table("A group, one connection, durable")).note(WITHOUT_MEMBERS))
}

async fn attributes(filled: &mut Filled, sheet: &mut Sheet) -> Result<(), String> {
    let (size, client) = (filled.size, &mut filled.directory.client);
    let whole = format!("/Groups/{}", filled.everybody);
    let path = format!("{whole}?excludedAttributes=members");
    for _ in 0..CALLS_PER_TURN {
        sheet.flat("GET without members", size, client.time(&Call::get(path.clone())).await?);
    }
    for _ in 0..CALLS_PER_TURN {
        // Away and back, so that others find it by its name.
        for name in ["Everybody renamed", EVERYBODY] {
            sheet.flat(
                "PATCH displayName",
                size,
                client.time(&Call::replace(path.clone(), "displayName", name)).await?,
            );
        }
    }
    sheet.growing("GET with members", size, client.time(&Call::get(whole)).await?);
    Ok(())
}

/// A user in many groups.
pub(super) async fn user_groups(bench: &mut Bench) -> Result<Section, String> {
    let numbers = &GROUPS[..bench.scaled(GROUPS.len(), 2)];
    bench.progress.step("user-groups: making groups");
    let mut directory = Directory::start(&bench.servers).await?;
    let mut groups = Vec::new();
    for number in 0..numbers.last().copied().unwrap_or(0) {
        groups.push(directory.group(&format!("Group {number}"), 0).await?);
    }
    bench.progress.step("user-groups: users in several numbers of groups");
    let (end, mut sheet, mut turn) = (bench.end(), Sheet::by_groups(), 0);
    while turn == 0 || Instant::now() < end {
        turn += 1;
        for &number in numbers {
            in_groups(&mut directory, &groups[..number], turn, &mut sheet).await?;
        }
    }
    Ok(Section::new("user-groups")
        .table(sheet.table("A user in many groups, one connection, durable"))
        .note("`-groups` is with `excludedAttributes=groups`: the answer then is the same at every size."))
}

async fn in_groups(directory: &mut Directory, groups: &[String], turn: usize, sheet: &mut Sheet) -> Result<(), String> {
    let (client, size) = (&mut directory.client, groups.len());
    let id = id_of(client.call(&Call::create_user(&format!("member{turn}of{size}"))).await?.body)?;
    for group in groups {
        client.call(&Call::add_members(group, std::slice::from_ref(&id))).await?;
    }
    let whole = format!("/Users/{id}");
    let path = format!("{whole}?excludedAttributes=groups");
    for _ in 0..CALLS_PER_TURN {
        sheet.growing("GET user", size, client.time(&Call::get(whole.clone())).await?);
        sheet.flat("GET user -groups", size, client.time(&Call::get(path.clone())).await?);
        let filter = Call::filter("/Groups", &format!("members.value eq \"{id}\""));
        sheet.growing("members.value eq", size, client.time(&filter).await?);
        for active in [false, true] {
            let change = Call::replace(path.clone(), "active", active);
            sheet.flat(
                if active { "PATCH active true -groups" } else { "PATCH active false -groups" },
                size,
                client.time(&change).await?,
            );
        }
        let rename = Call::replace(path.clone(), "displayName", format!("Renamed {turn}"));
        sheet.flat("PATCH displayName -groups", size, client.time(&rename).await?);
    }
    sheet.growing("DELETE user", size, client.time(&Call::delete(whole)).await?);
    Ok(())
}
