//! The engine as a WebAssembly component: binds what `wit/` says to this crate, and holds no behaviour of its own.

#![expect(unsafe_code, reason = "the canonical ABI hands memory over as pointers")]
#![expect(clippy::too_many_lines, reason = "what is generated has lines for each function of the contract")]

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::alloc::Layout;

use self::bindings::exports::usher::provisioning as exports;
use self::bindings::usher::provisioning::storage as imported;
use self::bindings::wasi::clocks::wall_clock;
use self::bindings::wasi::random::random;
use crate::engine::{Engine, Environment};
use crate::provisioning::check::{GroupCheck, GroupRepair};
use crate::provisioning::conflicts::{Adoption, Conflict, ConflictPreview, Resolution};
use crate::provisioning::group_list::Group;
use crate::provisioning::plan_access::{AccessTurn, PersonAccess};
use crate::provisioning::planned_members::{MemberTurn, PlannedMember};
use crate::provisioning::plans::{ApplyProgress, Plan, PlannedItem, PlannedKind, PlannedList};
use crate::provisioning::rules::{RuleEffect, RulesApplied};
use crate::provisioning::unlinked::UnlinkedUser;
use crate::scim::http::{Request, Response};
use crate::site::access::{Access as ProjectAccess, OpenProject};
use crate::site::admitted::Admitted;
use crate::site::bin::{DeletedCustomer, DeletedOrganization};
use crate::site::customers::{Customer, CustomerUpdate, NewCustomer};
use crate::site::find::{CustomerFilter, CustomerState, OrganizationFilter, OrganizationState};
use crate::site::history::{Causes, HistoryEntry};
use crate::site::organizations::Organization;
use crate::site::projects::{Audience, Project};
use crate::site::same_names::SameName;
use crate::site::{Page, Position};
use crate::storage::{Access, Change, Entry, Error, Range, Storage, Transaction};
use crate::{changes, directories, site, upkeep};

mod allocator;
mod compare;

mod bindings {
    #![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all, clippy::pedantic)]

    // The engine's own types are field by field what would be generated from `wit/`, so they take its place: what goes
    // through the imports and exports is neither converted nor copied.
    wit_bindgen::generate!({
        path: "../wit",
        world: "provisioner",
        generate_all,
        disable_run_ctors_once_workaround: true,
        with: {
            "usher:provisioning/storage@0.2.0/access": crate::storage::Access,
            "usher:provisioning/storage@0.2.0/error": crate::storage::Error,
            "usher:provisioning/storage@0.2.0/range": crate::storage::Range,
            "usher:provisioning/storage@0.2.0/entry": crate::storage::Entry,
            "usher:provisioning/storage@0.2.0/change": crate::storage::Change,
            "usher:provisioning/scim@0.2.0/request": crate::Request,
            "usher:provisioning/scim@0.2.0/response": crate::Response,
            "usher:provisioning/scim@0.2.0/refused-key": crate::RefusedKey,
            "usher:provisioning/directories@0.2.0/mode": crate::directories::Mode,
            "usher:provisioning/directories@0.2.0/email-change": crate::directories::EmailChange,
            "usher:provisioning/directories@0.2.0/email-presence": crate::directories::EmailPresence,
            "usher:provisioning/directories@0.2.0/unknown-members": crate::directories::UnknownMembers,
            "usher:provisioning/directories@0.2.0/outside-domains": crate::directories::OutsideDomains,
            "usher:provisioning/directories@0.2.0/project-rule": crate::directories::ProjectRule,
            "usher:provisioning/directories@0.2.0/settings": crate::directories::Settings,
            "usher:provisioning/directories@0.2.0/settings-update": crate::directories::SettingsUpdate,
            "usher:provisioning/directories@0.2.0/directory": crate::directories::Directory,
            "usher:provisioning/directories@0.2.0/key": crate::directories::Key,
            "usher:provisioning/directories@0.2.0/issued-key": crate::directories::IssuedKey,
            "usher:provisioning/directories@0.2.0/setup-link": crate::directories::SetupLink,
            "usher:provisioning/directories@0.2.0/new-setup-link": crate::directories::NewSetupLink,
            "usher:provisioning/directories@0.2.0/setup": crate::directories::Setup,
            "usher:provisioning/directories@0.2.0/connected": crate::directories::Connected,
            "usher:provisioning/directories@0.2.0/state": crate::directories::State,
            "usher:provisioning/directories@0.2.0/change-count": crate::directories::ChangeCount,
            "usher:provisioning/directories@0.2.0/resource-kind": crate::directories::ResourceKind,
            "usher:provisioning/directories@0.2.0/log-subject": crate::directories::LogSubject,
            "usher:provisioning/directories@0.2.0/effect": crate::directories::Effect,
            "usher:provisioning/directories@0.2.0/member-counts": crate::directories::MemberCounts,
            "usher:provisioning/directories@0.2.0/logged-operation": crate::directories::LoggedOperation,
            "usher:provisioning/directories@0.2.0/logged-request": crate::directories::LoggedRequest,
            "usher:provisioning/directories@0.2.0/log-filter": crate::directories::LogFilter,
            "usher:provisioning/directories@0.2.0/log-page": crate::directories::LogPage,
            "usher:provisioning/directories@0.2.0/captured-body": crate::directories::CapturedBody,
            "usher:provisioning/directories@0.2.0/whole-request": crate::directories::WholeRequest,
            "usher:provisioning/directories@0.2.0/held-deletion": crate::directories::HeldDeletion,
            "usher:provisioning/directories@0.2.0/hour": crate::directories::Hour,
            "usher:provisioning/directories@0.2.0/key-status": crate::directories::KeyStatus,
            "usher:provisioning/directories@0.2.0/largest-group": crate::directories::LargestGroup,
            "usher:provisioning/directories@0.2.0/unlinked-count": crate::directories::UnlinkedCount,
            "usher:provisioning/directories@0.2.0/refused-requests": crate::directories::RefusedRequests,
            "usher:provisioning/directories@0.2.0/warning": crate::directories::Warning,
            "usher:provisioning/directories@0.2.0/first-sync": crate::directories::FirstSync,
            "usher:provisioning/directories@0.2.0/directory-status": crate::directories::DirectoryStatus,
            "usher:provisioning/directories@0.2.0/directory-measures": crate::directories::DirectoryMeasures,
            "usher:provisioning/directories@0.2.0/measures": crate::directories::Measures,
            "usher:provisioning/site@0.2.0/settings": crate::site::settings::Settings,
            "usher:provisioning/site@0.2.0/settings-update": crate::site::settings::SettingsUpdate,
            "usher:provisioning/site@0.2.0/subject": crate::site::same_names::Subject,
            "usher:provisioning/site@0.2.0/same-name": crate::site::same_names::SameName,
            "usher:provisioning/site@0.2.0/position": crate::site::Position,
            "usher:provisioning/site@0.2.0/customer": crate::site::customers::Customer,
            "usher:provisioning/site@0.2.0/new-customer": crate::site::customers::NewCustomer,
            "usher:provisioning/site@0.2.0/customer-update": crate::site::customers::CustomerUpdate,
            "usher:provisioning/site@0.2.0/organization": crate::site::organizations::Organization,
            "usher:provisioning/site@0.2.0/deleted-customer": crate::site::bin::DeletedCustomer,
            "usher:provisioning/site@0.2.0/deleted-organization": crate::site::bin::DeletedOrganization,
            "usher:provisioning/site@0.2.0/audience": crate::site::projects::Audience,
            "usher:provisioning/site@0.2.0/project": crate::site::projects::Project,
            "usher:provisioning/site@0.2.0/reason": crate::site::access::Reason,
            "usher:provisioning/site@0.2.0/access": crate::site::access::Access,
            "usher:provisioning/site@0.2.0/value-change": crate::site::history::ValueChange,
            "usher:provisioning/site@0.2.0/history-entry": crate::site::history::HistoryEntry,
            "usher:provisioning/site@0.2.0/causes": crate::site::history::Causes,
            "usher:provisioning/site@0.2.0/open-project": crate::site::access::OpenProject,
            "usher:provisioning/site@0.2.0/admitted": crate::site::admitted::Admitted,
            "usher:provisioning/site@0.2.0/customer-state": crate::site::find::CustomerState,
            "usher:provisioning/site@0.2.0/customer-filter": crate::site::find::CustomerFilter,
            "usher:provisioning/site@0.2.0/organization-state": crate::site::find::OrganizationState,
            "usher:provisioning/site@0.2.0/organization-filter": crate::site::find::OrganizationFilter,
            "usher:provisioning/site@0.2.0/customer-totals": crate::site::totals::CustomerTotals,
            "usher:provisioning/site@0.2.0/organization-totals": crate::site::totals::OrganizationTotals,
            "usher:provisioning/site@0.2.0/directory-totals": crate::site::totals::DirectoryTotals,
            "usher:provisioning/site@0.2.0/totals": crate::site::totals::Totals,
            "usher:provisioning/directories@0.2.0/conflict-policy": crate::directories::ConflictPolicy,
            "usher:provisioning/directories@0.2.0/conflict-subject": crate::provisioning::conflicts::ConflictSubject,
            "usher:provisioning/directories@0.2.0/conflict-kind": crate::provisioning::conflicts::ConflictKind,
            "usher:provisioning/directories@0.2.0/conflict-organization": crate::provisioning::conflicts::ConflictOrganization,
            "usher:provisioning/directories@0.2.0/conflict": crate::provisioning::conflicts::Conflict,
            "usher:provisioning/directories@0.2.0/member-change": crate::provisioning::conflicts::MemberChange,
            "usher:provisioning/directories@0.2.0/adoption": crate::provisioning::conflicts::Adoption,
            "usher:provisioning/directories@0.2.0/conflict-preview": crate::provisioning::conflicts::ConflictPreview,
            "usher:provisioning/directories@0.2.0/resolution": crate::provisioning::conflicts::Resolution,
            "usher:provisioning/directories@0.2.0/unlinked-reason": crate::provisioning::unlinked::UnlinkedReason,
            "usher:provisioning/directories@0.2.0/unlinked-user": crate::provisioning::unlinked::UnlinkedUser,
            "usher:provisioning/directories@0.2.0/rule-effect": crate::provisioning::rules::RuleEffect,
            "usher:provisioning/directories@0.2.0/rules-applied": crate::provisioning::rules::RulesApplied,
            "usher:provisioning/directories@0.2.0/planned-kind": crate::provisioning::plans::PlannedKind,
            "usher:provisioning/directories@0.2.0/planned-count": crate::provisioning::plans::PlannedCount,
            "usher:provisioning/directories@0.2.0/project-turnover": crate::provisioning::plan_access::ProjectTurnover,
            "usher:provisioning/directories@0.2.0/plan-access": crate::provisioning::plan_access::PlanAccess,
            "usher:provisioning/directories@0.2.0/plan": crate::provisioning::plans::Plan,
            "usher:provisioning/directories@0.2.0/planned-list": crate::provisioning::plans::PlannedList,
            "usher:provisioning/directories@0.2.0/obstacle": crate::provisioning::plans::Obstacle,
            "usher:provisioning/directories@0.2.0/planned-item": crate::provisioning::plans::PlannedItem,
            "usher:provisioning/directories@0.2.0/member-turn": crate::provisioning::planned_members::MemberTurn,
            "usher:provisioning/directories@0.2.0/planned-member": crate::provisioning::planned_members::PlannedMember,
            "usher:provisioning/directories@0.2.0/access-turn": crate::provisioning::plan_access::AccessTurn,
            "usher:provisioning/directories@0.2.0/person-access": crate::provisioning::plan_access::PersonAccess,
            "usher:provisioning/directories@0.2.0/apply-progress": crate::provisioning::plans::ApplyProgress,
            "usher:provisioning/directories@0.2.0/difference": crate::provisioning::check::Difference,
            "usher:provisioning/directories@0.2.0/probation": crate::provisioning::check::Probation,
            "usher:provisioning/directories@0.2.0/group": crate::provisioning::group_list::Group,
            "usher:provisioning/directories@0.2.0/group-check": crate::provisioning::check::GroupCheck,
            "usher:provisioning/directories@0.2.0/group-repair": crate::provisioning::check::GroupRepair,
            "usher:provisioning/changes@0.2.0/change": crate::changes::Change,
            "usher:provisioning/changes@0.2.0/filter": crate::changes::Filter,
            "usher:provisioning/changes@0.2.0/part": crate::changes::Part,
            "usher:provisioning/changes@0.2.0/subject": crate::changes::Subject,
            "usher:provisioning/changes@0.2.0/name": crate::changes::Name,
            "usher:provisioning/upkeep@0.2.0/upgrade": crate::upkeep::Upgrade,
            "usher:provisioning/upkeep@0.2.0/readiness": crate::upkeep::Readiness,
            "usher:provisioning/upkeep@0.2.0/progress": crate::upkeep::Progress,
        },
    });
}

/// The generated code reads an enum of a parameter through a function of this name; the host has checked its number.
macro_rules! lift {
    ($($name:path: $first:ident $(, $other:ident)*;)*) => {
        $(impl $name {
            unsafe fn _lift(number: u8) -> Self {
                const OTHERS: &[$name] = &[$(<$name>::$other),*];
                OTHERS.get(usize::from(number).wrapping_sub(1)).copied().unwrap_or(Self::$first)
            }
        })*
    };
}

lift! {
    directories::EmailChange: Refuse, Follow;
    directories::EmailPresence: Optional, Required;
    directories::UnknownMembers: Refuse, Skip;
    directories::ConflictPolicy: Sync, Skip, Reject;
    directories::OutsideDomains: Unlinked, Refuse;
    directories::Mode: Live, Staged, Applying;
    PlannedKind: DeleteCustomer, DeactivateCustomer, UnlinkCustomer, LinkCustomer, MakeCustomer, ActivateCustomer,
        ChangeCustomer, AdoptOrganization, MakeOrganization, RenameOrganization, ChangeMembers, DeleteOrganization;
    MemberTurn: Come, Go;
    AccessTurn: Loses, Gains;
    Audience: Open, Restricted;
    CustomerState: Local, Managed, Active, Inactive, Unlinked;
    OrganizationState: Local, Managed, Unlinked;
}

/// Why a call failed, in the words of its interface. A failure of the store is `unavailable` if trying again may help,
/// else `other`; its text is for the host's log.
macro_rules! errors {
    ($($engine:ident => $exported:ty: $($variant:ident),+;)+) => {
        $(impl From<$engine::Error> for $exported {
            fn from(error: $engine::Error) -> Self {
                use $engine::Error;
                match error {
                    $(Error::$variant(detail) => Self::$variant(detail),)+
                    Error::Store(error) if error.is_passing() => Self::Unavailable(error.to_string()),
                    Error::Store(error) => Self::Other(error.to_string()),
                }
            }
        })+
    };
}

errors! {
    directories => exports::directories::Error: NotFound, Invalid, Refused;
    site => exports::site::Error: NotFound, Invalid, Taken, Managed, Refused;
    changes => exports::changes::Error: Invalid;
    upkeep => exports::upkeep::Error: Other;
}

/// A page of each kind of value: WIT has no generic types.
macro_rules! pages {
    ($($value:ty => $page:ty;)+) => {
        $(impl From<Page<$value>> for $page {
            fn from(Page { values, next }: Page<$value>) -> Self {
                Self { values, next }
            }
        })+
    };
}

pages! {
    directories::Directory => exports::directories::Page;
    Conflict => exports::directories::ConflictPage;
    Adoption => exports::directories::AdoptionPage;
    UnlinkedUser => exports::directories::UnlinkedPage;
    RuleEffect => exports::directories::RulePage;
    PlannedItem => exports::directories::PlannedPage;
    PlannedMember => exports::directories::PlannedMemberPage;
    PersonAccess => exports::directories::PersonAccessPage;
    directories::HeldDeletion => exports::directories::HeldPage;
    Group => exports::directories::GroupPage;
    SameName => exports::site::SameNamePage;
    Customer => exports::site::CustomerPage;
    DeletedCustomer => exports::site::DeletedCustomerPage;
    Organization => exports::site::OrganizationPage;
    DeletedOrganization => exports::site::DeletedOrganizationPage;
    HistoryEntry => exports::site::HistoryPage;
    Project => exports::site::ProjectPage;
    Admitted => exports::site::AdmittedPage;
}

bindings::export!(Component with_types_in bindings);

/// What implements the world's exports.
struct Component;

impl exports::scim::Guest for Component {
    fn authorize(request: Request) -> Result<String, Response> {
        engine().authorize(&request)
    }

    fn handle(request: Request) -> Response {
        engine().handle(&request)
    }
}

impl exports::directories::Guest for Component {
    fn connect(
        actor: String,
        settings: directories::Settings,
    ) -> Result<directories::Connected, exports::directories::Error> {
        Ok(engine().connect(&actor, &settings)?)
    }

    fn list(cursor: Option<String>, limit: u32) -> Result<exports::directories::Page, exports::directories::Error> {
        Ok(engine().directories(cursor.as_deref(), limit)?.into())
    }

    fn get(id: String) -> Result<directories::Directory, exports::directories::Error> {
        Ok(engine().directory(&id)?)
    }

    fn update(
        actor: String,
        id: String,
        settings: directories::SettingsUpdate,
    ) -> Result<directories::Directory, exports::directories::Error> {
        Ok(engine().update_directory(&actor, &id, &settings)?)
    }

    fn disconnect(actor: String, id: String, remove: bool) -> Result<(), exports::directories::Error> {
        Ok(engine().disconnect(&actor, &id, remove)?)
    }

    fn keys(id: String) -> Result<Vec<directories::Key>, exports::directories::Error> {
        Ok(engine().keys(&id)?)
    }

    fn rotate_key(
        actor: String,
        id: String,
        overlap_seconds: u32,
    ) -> Result<directories::IssuedKey, exports::directories::Error> {
        Ok(engine().rotate_key(&actor, &id, overlap_seconds)?)
    }

    fn revoke_key(actor: String, id: String, key_id: String) -> Result<(), exports::directories::Error> {
        Ok(engine().revoke_key(&actor, &id, &key_id)?)
    }

    fn make_setup_link(
        actor: String,
        id: String,
        days: u32,
        overlap_seconds: u32,
    ) -> Result<directories::NewSetupLink, exports::directories::Error> {
        Ok(engine().make_setup_link(&actor, &id, days, overlap_seconds)?)
    }

    fn setup_links(id: String) -> Result<Vec<directories::SetupLink>, exports::directories::Error> {
        Ok(engine().setup_links(&id)?)
    }

    fn revoke_setup_link(actor: String, id: String, link: String) -> Result<(), exports::directories::Error> {
        Ok(engine().revoke_setup_link(&actor, &id, &link)?)
    }

    fn open_setup_link(token: String) -> Result<directories::Setup, exports::directories::Error> {
        Ok(engine().open_setup_link(&token)?)
    }

    fn claim_setup_link(token: String) -> Result<directories::IssuedKey, exports::directories::Error> {
        Ok(engine().claim_setup_link(&token)?)
    }

    fn conflicts(
        id: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::directories::ConflictPage, exports::directories::Error> {
        Ok(engine().conflicts(&id, cursor.as_deref(), limit)?.into())
    }

    fn left_apart(
        id: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::directories::ConflictPage, exports::directories::Error> {
        Ok(engine().left_apart(&id, cursor.as_deref(), limit)?.into())
    }

    fn adoptions(
        id: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::directories::AdoptionPage, exports::directories::Error> {
        Ok(engine().adoptions(&id, cursor.as_deref(), limit)?.into())
    }

    fn preview_conflict(id: String, group: String) -> Result<ConflictPreview, exports::directories::Error> {
        Ok(engine().preview_conflict(&id, &group)?)
    }

    fn resolve_conflict(
        actor: String,
        id: String,
        group: String,
        resolution: Resolution,
    ) -> Result<(), exports::directories::Error> {
        Ok(engine().resolve_conflict(&actor, &id, &group, &resolution)?)
    }

    fn unlinked(
        id: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::directories::UnlinkedPage, exports::directories::Error> {
        Ok(engine().unlinked(&id, cursor.as_deref(), limit)?.into())
    }

    fn preview_rules(
        id: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::directories::RulePage, exports::directories::Error> {
        Ok(engine().preview_rules(&id, cursor.as_deref(), limit)?.into())
    }

    fn apply_rules(
        actor: String,
        id: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<RulesApplied, exports::directories::Error> {
        Ok(engine().apply_rules(&actor, &id, cursor.as_deref(), limit)?)
    }

    fn get_plan(id: String) -> Result<Plan, exports::directories::Error> {
        Ok(engine().plan(&id)?)
    }

    fn planned(
        id: String,
        list: PlannedList,
        query: Option<String>,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::directories::PlannedPage, exports::directories::Error> {
        Ok(engine().planned(&id, list, query.as_deref(), cursor.as_deref(), limit)?.into())
    }

    fn planned_members(
        id: String,
        group: String,
        turn: MemberTurn,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::directories::PlannedMemberPage, exports::directories::Error> {
        Ok(engine().planned_members(&id, &group, turn, cursor.as_deref(), limit)?.into())
    }

    fn planned_access(
        id: String,
        turn: AccessTurn,
        query: Option<String>,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::directories::PersonAccessPage, exports::directories::Error> {
        Ok(engine().plan_access(&id, turn, query.as_deref(), cursor.as_deref(), limit)?.into())
    }

    fn apply_plan(
        actor: String,
        id: String,
        accepted: Option<u64>,
    ) -> Result<ApplyProgress, exports::directories::Error> {
        Ok(engine().apply_plan(&actor, &id, accepted)?)
    }

    fn get_apply_progress(id: String) -> Result<Option<ApplyProgress>, exports::directories::Error> {
        Ok(engine().apply_progress(&id)?)
    }

    fn groups(
        id: String,
        query: Option<String>,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::directories::GroupPage, exports::directories::Error> {
        Ok(engine().groups(&id, query.as_deref(), cursor.as_deref(), limit)?.into())
    }

    fn get_group(id: String, group: String) -> Result<Group, exports::directories::Error> {
        Ok(engine().group(&id, &group)?)
    }

    fn check_group(id: String, group: String) -> Result<GroupCheck, exports::directories::Error> {
        Ok(engine().check_group(&id, &group)?)
    }

    fn repair_group(actor: String, id: String, group: String) -> Result<GroupRepair, exports::directories::Error> {
        Ok(engine().repair_group(&actor, &id, &group)?)
    }

    fn status(id: String) -> Result<directories::DirectoryStatus, exports::directories::Error> {
        Ok(engine().directory_status(&id)?)
    }

    fn measures_of_all() -> Result<directories::Measures, exports::directories::Error> {
        Ok(engine().measures()?)
    }

    fn requests(
        id: String,
        filter: directories::LogFilter,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<directories::LogPage, exports::directories::Error> {
        Ok(engine().requests(&id, &filter, cursor.as_deref(), limit)?)
    }

    fn request(id: String, sequence: u64) -> Result<directories::WholeRequest, exports::directories::Error> {
        Ok(engine().request(&id, sequence)?)
    }

    fn start_capture(
        actor: String,
        id: String,
        seconds: u32,
        values: bool,
    ) -> Result<u64, exports::directories::Error> {
        Ok(engine().start_capture(&actor, &id, seconds, values)?)
    }

    fn stop_capture(actor: String, id: String) -> Result<(), exports::directories::Error> {
        Ok(engine().stop_capture(&actor, &id)?)
    }

    fn note_refused_requests(
        id: String,
        expired: bool,
        count: u32,
        last: u64,
    ) -> Result<(), exports::directories::Error> {
        Ok(engine().note_refused_requests(&id, expired, count, last)?)
    }

    fn held(
        id: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::directories::HeldPage, exports::directories::Error> {
        Ok(engine().held(&id, cursor.as_deref(), limit)?.into())
    }

    fn release_deletions(actor: String, id: String) -> Result<(), exports::directories::Error> {
        Ok(engine().release_deletions(&actor, &id)?)
    }
}

impl exports::site::Guest for Component {
    fn get_settings() -> Result<site::settings::Settings, exports::site::Error> {
        Ok(engine().site_settings()?)
    }

    fn update_settings(
        actor: String,
        update: site::settings::SettingsUpdate,
    ) -> Result<site::settings::Settings, exports::site::Error> {
        Ok(engine().update_site_settings(&actor, &update)?)
    }

    fn same_names(position: Position, limit: u32) -> Result<exports::site::SameNamePage, exports::site::Error> {
        Ok(engine().same_names(&position, limit)?.into())
    }

    fn note_refused_keys(count: u32, first: u64, last: u64) -> Result<(), exports::site::Error> {
        Ok(engine().note_refused_keys(count, first, last)?)
    }

    fn create_customer(actor: String, customer: NewCustomer) -> Result<Customer, exports::site::Error> {
        Ok(engine().create_customer(&actor, &customer)?)
    }

    fn customers(position: Position, limit: u32) -> Result<exports::site::CustomerPage, exports::site::Error> {
        Ok(engine().customers(&position, limit)?.into())
    }

    fn find_customers(
        filter: CustomerFilter,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::site::CustomerPage, exports::site::Error> {
        Ok(engine().find_customers(&filter, cursor.as_deref(), limit)?.into())
    }

    fn get_totals() -> Result<site::totals::Totals, exports::site::Error> {
        Ok(engine().totals()?)
    }

    fn get_customer(id: String) -> Result<Customer, exports::site::Error> {
        Ok(engine().customer(&id)?)
    }

    fn update_customer(actor: String, id: String, update: CustomerUpdate) -> Result<Customer, exports::site::Error> {
        Ok(engine().update_customer(&actor, &id, &update)?)
    }

    fn delete_customer(actor: String, id: String) -> Result<(), exports::site::Error> {
        Ok(engine().delete_customer(&actor, &id)?)
    }

    fn unlink_customer(actor: String, id: String) -> Result<Customer, exports::site::Error> {
        Ok(engine().unlink_customer(&actor, &id)?)
    }

    fn unlink_organization(actor: String, id: u64) -> Result<Organization, exports::site::Error> {
        Ok(engine().unlink_organization(&actor, id)?)
    }

    fn relink_customer(actor: String, id: String, directory: Option<String>) -> Result<Customer, exports::site::Error> {
        Ok(engine().relink_customer(&actor, &id, directory.as_deref())?)
    }

    fn deleted_customers(
        position: Position,
        limit: u32,
    ) -> Result<exports::site::DeletedCustomerPage, exports::site::Error> {
        Ok(engine().deleted_customers(&position, limit)?.into())
    }

    fn restore_customer(actor: String, id: String) -> Result<Customer, exports::site::Error> {
        Ok(engine().restore_customer(&actor, &id)?)
    }

    fn erase_customer(actor: String, id: String) -> Result<(), exports::site::Error> {
        Ok(engine().erase_customer(&actor, &id)?)
    }

    fn customer_history(
        id: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::site::HistoryPage, exports::site::Error> {
        Ok(engine().customer_history(&id, cursor.as_deref(), limit)?.into())
    }

    fn customer_causes(id: String) -> Result<Causes, exports::site::Error> {
        Ok(engine().customer_causes(&id)?)
    }

    fn organization_history(
        id: u64,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::site::HistoryPage, exports::site::Error> {
        Ok(engine().organization_history(id, cursor.as_deref(), limit)?.into())
    }

    fn organization_causes(id: u64) -> Result<Causes, exports::site::Error> {
        Ok(engine().organization_causes(id)?)
    }

    fn create_organization(actor: String, name: String) -> Result<Organization, exports::site::Error> {
        Ok(engine().create_organization(&actor, &name)?)
    }

    fn organizations(position: Position, limit: u32) -> Result<exports::site::OrganizationPage, exports::site::Error> {
        Ok(engine().organizations(&position, limit)?.into())
    }

    fn find_organizations(
        filter: OrganizationFilter,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::site::OrganizationPage, exports::site::Error> {
        Ok(engine().find_organizations(&filter, cursor.as_deref(), limit)?.into())
    }

    fn get_organization(id: u64) -> Result<Organization, exports::site::Error> {
        Ok(engine().organization(id)?)
    }

    fn rename_organization(actor: String, id: u64, name: String) -> Result<Organization, exports::site::Error> {
        Ok(engine().rename_organization(&actor, id, &name)?)
    }

    fn delete_organization(actor: String, id: u64) -> Result<(), exports::site::Error> {
        Ok(engine().delete_organization(&actor, id)?)
    }

    fn deleted_organizations(
        position: Position,
        limit: u32,
    ) -> Result<exports::site::DeletedOrganizationPage, exports::site::Error> {
        Ok(engine().deleted_organizations(&position, limit)?.into())
    }

    fn restore_organization(actor: String, id: u64) -> Result<Organization, exports::site::Error> {
        Ok(engine().restore_organization(&actor, id)?)
    }

    fn organization_members(
        id: u64,
        position: Position,
        limit: u32,
    ) -> Result<exports::site::CustomerPage, exports::site::Error> {
        Ok(engine().organization_members(id, &position, limit)?.into())
    }

    fn get_organization_member(id: u64, customer: String) -> Result<Customer, exports::site::Error> {
        Ok(engine().organization_member(id, &customer)?)
    }

    fn organizations_of(customer: String) -> Result<Vec<Organization>, exports::site::Error> {
        Ok(engine().organizations_of(&customer)?)
    }

    fn add_members(actor: String, id: u64, customers: Vec<String>) -> Result<(), exports::site::Error> {
        Ok(engine().add_members(&actor, id, &customers)?)
    }

    fn remove_members(actor: String, id: u64, customers: Vec<String>) -> Result<(), exports::site::Error> {
        Ok(engine().remove_members(&actor, id, &customers)?)
    }

    fn create_project(
        actor: String,
        key: String,
        name: String,
        audience: Audience,
    ) -> Result<Project, exports::site::Error> {
        Ok(engine().create_project(&actor, &key, &name, audience)?)
    }

    fn projects(position: Position, limit: u32) -> Result<exports::site::ProjectPage, exports::site::Error> {
        Ok(engine().projects(&position, limit)?.into())
    }

    fn get_project(id: u64) -> Result<Project, exports::site::Error> {
        Ok(engine().project(id)?)
    }

    fn get_project_by_key(key: String) -> Result<Project, exports::site::Error> {
        Ok(engine().project_by_key(&key)?)
    }

    fn update_project(
        actor: String,
        id: u64,
        name: Option<String>,
        audience: Option<Audience>,
    ) -> Result<Project, exports::site::Error> {
        Ok(engine().update_project(&actor, id, name.as_deref(), audience)?)
    }

    fn delete_project(actor: String, id: u64) -> Result<(), exports::site::Error> {
        Ok(engine().delete_project(&actor, id)?)
    }

    fn associate_organization(
        actor: String,
        project: u64,
        organization: u64,
        associated: bool,
    ) -> Result<(), exports::site::Error> {
        Ok(engine().associate_organization(&actor, project, organization, associated)?)
    }

    fn associate_customers(
        actor: String,
        project: u64,
        customers: Vec<String>,
        associated: bool,
    ) -> Result<(), exports::site::Error> {
        Ok(engine().associate_customers(&actor, project, &customers, associated)?)
    }

    fn organization_projects(
        id: u64,
        position: Position,
        limit: u32,
    ) -> Result<exports::site::ProjectPage, exports::site::Error> {
        Ok(engine().organization_projects(id, &position, limit)?.into())
    }

    fn project_organizations(
        id: u64,
        member: Option<String>,
        position: Position,
        limit: u32,
    ) -> Result<exports::site::OrganizationPage, exports::site::Error> {
        Ok(engine().project_organizations(id, member.as_deref(), &position, limit)?.into())
    }

    fn project_customers(
        id: u64,
        position: Position,
        limit: u32,
    ) -> Result<exports::site::CustomerPage, exports::site::Error> {
        Ok(engine().project_customers(id, &position, limit)?.into())
    }

    fn find_project_customers(
        id: u64,
        query: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::site::CustomerPage, exports::site::Error> {
        Ok(engine().find_project_customers(id, &query, cursor.as_deref(), limit)?.into())
    }

    fn access_to(customer: String, project: u64) -> Result<ProjectAccess, exports::site::Error> {
        Ok(engine().access(&customer, project)?)
    }

    fn projects_of(customer: String) -> Result<Vec<OpenProject>, exports::site::Error> {
        Ok(engine().projects_of(&customer)?)
    }

    fn customers_of(
        project: u64,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<exports::site::AdmittedPage, exports::site::Error> {
        Ok(engine().customers_of(project, cursor.as_deref(), limit)?.into())
    }
}

impl exports::changes::Guest for Component {
    fn read(after: u64, filter: changes::Filter, limit: u32) -> Result<changes::Part, exports::changes::Error> {
        Ok(engine().changes_among(after, &filter, limit)?)
    }

    fn read_back(
        before: Option<u64>,
        filter: changes::Filter,
        limit: u32,
    ) -> Result<changes::Part, exports::changes::Error> {
        Ok(engine().changes_back(before, &filter, limit)?)
    }

    fn before_time(time: u64) -> Result<u64, exports::changes::Error> {
        Ok(engine().changes_before_time(time)?)
    }

    fn names(subjects: Vec<changes::Subject>) -> Result<Vec<Option<changes::Name>>, exports::changes::Error> {
        Ok(engine().names(&subjects)?)
    }
}

impl exports::upkeep::Guest for Component {
    fn ready() -> Result<upkeep::Readiness, exports::upkeep::Error> {
        Ok(engine().readiness()?)
    }

    fn step(budget: u32) -> Result<upkeep::Progress, exports::upkeep::Error> {
        Ok(engine().upkeep_step(budget)?)
    }
}

fn engine() -> Engine<'static> {
    Engine::new(&ImportedStorage, &Imports)
}

/// The storage that the host provides.
struct ImportedStorage;

impl Storage for ImportedStorage {
    fn begin(&self, access: Access) -> Result<Box<dyn Transaction>, Error> {
        Ok(Box::new(imported::begin(access)?))
    }
}

impl Transaction for imported::Transaction {
    fn get_many(&mut self, keys: &[String]) -> Result<Vec<Option<String>>, Error> {
        Self::get_many(self, keys)
    }

    fn scan(&mut self, range: &Range) -> Result<Vec<Entry>, Error> {
        Self::scan(self, range)
    }

    fn write(&mut self, changes: Vec<Change>) -> Result<(), Error> {
        Self::write(self, &changes)
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        Self::commit(*self)
    }
}

/// The clock and the random numbers that the host provides.
struct Imports;

impl Environment for Imports {
    fn now(&self) -> u64 {
        let now = wall_clock::now();
        now.seconds.saturating_mul(1_000).saturating_add(u64::from(now.nanoseconds / 1_000_000))
    }

    fn random(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&random::get_random_u64().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[global_allocator]
static ALLOCATOR: allocator::Heap = allocator::Heap::new();

/// Makes room for what the host passes in. The target's C library would bring this function together with an allocator
/// of its own; with this one, neither is linked.
///
/// # Safety
/// As the canonical ABI demands: `old` is null with `old_len` 0, or what an earlier call returned for `old_len` and the
/// same `align`.
#[unsafe(export_name = "cabi_realloc")]
unsafe extern "C" fn canonical_realloc(old: *mut u8, old_len: usize, align: usize, new_len: usize) -> *mut u8 {
    if new_len == 0 {
        return core::ptr::without_provenance_mut(align);
    }
    // SAFETY: `align` is a power of two and `new_len` is not zero; the rest is what the caller promises.
    let new = unsafe {
        if old_len == 0 {
            alloc::alloc::alloc(Layout::from_size_align_unchecked(new_len, align))
        } else {
            alloc::alloc::realloc(old, Layout::from_size_align_unchecked(old_len, align), new_len)
        }
    };
    if new.is_null() {
        core::arch::wasm32::unreachable()
    }
    new
}

/// Nothing has to be done when a call is over. Without this function, the linker takes the one of the target's C
/// library, and with it an allocator and a way to exit.
#[unsafe(no_mangle)]
extern "C" fn __wasm_call_dtors() {}

// A panic ends the instance with a trap, which the host sees and logs. There is nowhere to print a message to, and
// formatting one would only make the component larger.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
