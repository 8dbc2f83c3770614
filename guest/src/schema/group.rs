//! The Group resource type (RFC 7643, section 4.2).

use super::{Attribute, CORE_GROUP, ResourceType, Schema};

/// The Group resource type.
pub static GROUP: ResourceType = ResourceType {
    name: "Group",
    endpoint: "/Groups",
    description: "A group of users.",
    schema: &CORE,
    extensions: &[],
};

static CORE: Schema = Schema {
    id: CORE_GROUP,
    draft_id: "urn:scim:schemas:core:2.0:Group",
    name: "Group",
    description: "A group of users.",
    attributes: &[
        Attribute::string("displayName", "The name of the group, 1 to 200 characters.").required().unique().trimmed(),
        Attribute::complex(
            "members",
            &[
                Attribute::string("value", "The id of the user.").case_exact().immutable(),
                Attribute::reference("$ref", &["User"], "The URL of the user.").immutable(),
                Attribute::string("type", "What kind of resource it is.").canonical(&["User"]).immutable(),
            ],
            "The members, users of the same directory.",
        )
        .multi_valued(),
    ],
};
