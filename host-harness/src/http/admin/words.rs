//! What the contract's enums are called in JSON.

use crate::runtime::{directories, site};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Has enums of the contract written to JSON and read from it by the names of their cases, as they are written there.
macro_rules! words {
    ($($case:literal: $path:path { $($name:ident),+ })+) => {
        $(const _: () = {
            type Contract = $path;

            #[derive(Serialize, Deserialize)]
            #[serde(remote = "Contract", rename_all = $case)]
            enum Json {
                $($name),+
            }

            impl Serialize for Contract {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    Json::serialize(self, serializer)
                }
            }

            impl<'de> Deserialize<'de> for Contract {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    Json::deserialize(deserializer)
                }
            }
        };)+
    };
}

words! {
    "camelCase": directories::EmailChange { Refuse, Follow }
    "camelCase": directories::EmailPresence { Optional, Required }
    "camelCase": directories::UnknownMembers { Refuse, Skip }
    "camelCase": directories::ConflictPolicy { Sync, Skip, Reject }
    "camelCase": directories::ConflictKind { Apart, Left, Refused, SameName }
    "camelCase": directories::OutsideDomains { Unlinked, Refuse }
    "camelCase": directories::UnlinkedReason { NoEmail, Unlinked, OutsideDomains, Staged, AddressTaken }
    "camelCase": directories::Mode { Live, Staged, Applying }
    "kebab-case": directories::PlannedKind {
        DeleteCustomer, DeactivateCustomer, UnlinkCustomer, LinkCustomer, MakeCustomer, ActivateCustomer, ChangeCustomer,
        AdoptOrganization, MakeOrganization, RenameOrganization, ChangeMembers, DeleteOrganization
    }
    "camelCase": directories::Obstacle { AddressTaken, CustomerChanged, NameTaken, OrganizationChanged }
    "camelCase": directories::MemberTurn { Come, Go }
    "camelCase": directories::Warning { NoDomains }
    "kebab-case": directories::State { Connected, Waiting, FirstSync, Failing, Held, Staged, Applying, Silent, NoKeyWorks }
    "camelCase": directories::ResourceKind { User, Group }
    "camelCase": directories::Effect { Created, Changed, Unchanged, Deleted, Refused, Held }
    "camelCase": site::Audience { Open, Restricted }
    "camelCase": site::CustomerState { Local, Managed, Active, Inactive, Unlinked }
    "camelCase": site::OrganizationState { Local, Managed, Unlinked }
}
