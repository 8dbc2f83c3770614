//! What the component's functions are called with.

use crate::runtime::changes::{Filter, Subject};
use crate::runtime::directories::{
    AccessTurn, LogFilter, MemberTurn, PlannedList, Resolution, Settings, SettingsUpdate,
};
use crate::runtime::site::{self, Audience, CustomerFilter, CustomerUpdate, NewCustomer, OrganizationFilter, Position};

/// An argument of a call: kept until the call is made, and passed to the component each time that it is made.
pub(super) trait Argument {
    /// As it is kept.
    type Kept: Send + Sync + 'static;

    /// As the bindings take it.
    type Passed<'a>;

    /// Keeps it.
    fn keep(self) -> Self::Kept;

    /// Passes it.
    fn pass(kept: &Self::Kept) -> Self::Passed<'_>;
}

impl Argument for &str {
    type Kept = String;
    type Passed<'a> = &'a str;

    fn keep(self) -> String {
        self.to_owned()
    }

    fn pass(kept: &String) -> &str {
        kept
    }
}

impl Argument for Option<&str> {
    type Kept = Option<String>;
    type Passed<'a> = Option<&'a str>;

    fn keep(self) -> Option<String> {
        self.map(str::to_owned)
    }

    fn pass(kept: &Option<String>) -> Option<&str> {
        kept.as_deref()
    }
}

macro_rules! by_slice {
    ($($kind:ty),+) => {
        $(impl Argument for Vec<$kind> {
            type Kept = Self;
            type Passed<'a> = &'a [$kind];

            fn keep(self) -> Self {
                self
            }

            fn pass(kept: &Self) -> &[$kind] {
                kept
            }
        })+
    };
}

macro_rules! by_value {
    ($($kind:ty),+) => {
        $(impl Argument for $kind {
            type Kept = Self;
            type Passed<'a> = Self;

            fn keep(self) -> Self {
                self
            }

            fn pass(kept: &Self) -> Self {
                *kept
            }
        })+
    };
}

macro_rules! by_reference {
    ($($kind:ty),+) => {
        $(impl Argument for $kind {
            type Kept = Self;
            type Passed<'a> = &'a Self;

            fn keep(self) -> Self {
                self
            }

            fn pass(kept: &Self) -> &Self {
                kept
            }
        })+
    };
}

by_slice!(String, Subject);
by_value!(u32, u64, Option<u64>, bool, Audience, Option<Audience>, PlannedList, MemberTurn, AccessTurn);
by_reference!(
    Position,
    NewCustomer,
    CustomerUpdate,
    site::SettingsUpdate,
    Settings,
    SettingsUpdate,
    Resolution,
    LogFilter,
    Filter,
    CustomerFilter,
    OrganizationFilter
);
