//! What pages are made of.

mod badge;
mod block;
mod confirm;
mod filters;
mod form;
mod number;
mod pager;
mod table;
mod tabs;
mod time;
mod told;

pub(super) use badge::{Tone, badge, note};
pub(super) use block::{Facts, copy, empty, live, meter, panel};
pub(super) use confirm::Confirm;
pub(super) use filters::{Choices, Filters};
pub(super) use form::{Choice, Ends, Form, act, acts, row_act, row_button};
pub(super) use number::{count, counted};
pub(super) use pager::pager;
pub(super) use table::{Table, numeric};
pub(super) use tabs::{Tab, tabs};
pub(super) use time::{ago, at, day, duration};
pub(super) use told::told;

/// How many entries a page of a list has. With fifty, no page is longer than 100 KiB.
pub(super) const PAGE: u32 = 50;
