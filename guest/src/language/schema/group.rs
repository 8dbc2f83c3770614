//! The Group resource type (RFC 7643, section 4.2).

use super::{Attribute, CORE_GROUP, ResourceType, Schema, USHER_GROUP};

/// The Group resource type.
pub static GROUP: ResourceType = ResourceType {
    name: "Group",
    endpoint: "/Groups",
    description: "A group of users.",
    schema: &CORE,
    extensions: &EXTENSIONS,
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

static EXTENSIONS: [Schema; 1] = [Schema {
    id: USHER_GROUP,
    draft_id: USHER_GROUP,
    name: "UsherGroup",
    description: "What the service desk made of the group. Returned only where a client names it.",
    attributes: &[Attribute::string("organizationId", "The number of the organization that the group is linked to.")
        .case_exact()
        .read_only()
        .returned_on_request()],
}];
