//! What pages are made of.

mod badge;
mod block;
mod filters;
mod number;
mod pager;
mod table;
mod tabs;
mod time;

pub(super) use badge::{Tone, badge, note};
pub(super) use block::{Facts, copy, empty, live, meter, panel};
pub(super) use filters::{Choices, Filters};
pub(super) use number::{count, counted};
pub(super) use pager::pager;
pub(super) use table::{Table, numeric};
pub(super) use tabs::{Tab, tabs};
pub(super) use time::{ago, at, day, duration};

/// How many entries a page of a list has. With fifty, no page is longer than 100 KiB.
pub(super) const PAGE: u32 = 50;
