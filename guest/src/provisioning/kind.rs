//! What the two kinds of resources are in the language of SCIM.

use alloc::format;
use alloc::string::String;

use crate::language::schema::{self, ResourceType};
use crate::store::keys::Kind;

impl Kind {
    /// The schema's resource type.
    #[must_use]
    pub fn resource_type(self) -> &'static ResourceType {
        match self {
            Kind::User => &schema::USER,
            Kind::Group => &schema::GROUP,
        }
    }

    /// The URL of a resource below a base URL.
    #[must_use]
    pub fn location(self, base: &str, id: &str) -> String {
        format!("{base}{}/{id}", self.resource_type().endpoint)
    }
}
