//! The `GroupMembership` resource type of draft-zollner-scim-group-members: one member of one group.
//!
//! The text that this follows is that of the draft's repository, later than version 01, which called it `GroupMember`.
//! What the draft leaves to the service provider: a member has no `display`, because the members of a group have none.

use super::{Attribute, CORE_GROUP_MEMBERSHIP, ResourceType, Schema};

/// The `GroupMembership` resource type.
pub static GROUP_MEMBERSHIP: ResourceType = ResourceType {
    name: "GroupMembership",
    endpoint: "/GroupMemberships",
    description: "One member of one group.",
    schema: &CORE,
    extensions: &[],
};

static CORE: Schema = Schema {
    id: CORE_GROUP_MEMBERSHIP,
    draft_id: CORE_GROUP_MEMBERSHIP,
    name: "GroupMembership",
    description: "One member of one group.",
    attributes: &[
        Attribute::complex(
            "group",
            &[
                Attribute::string("value", "The id of the group.").case_exact().required().immutable(),
                Attribute::reference("$ref", &["Group"], "The URL of the group.").read_only(),
                Attribute::string("display", "The name of the group.").read_only(),
            ],
            "The group.",
        )
        .required()
        .immutable(),
        Attribute::complex(
            "member",
            &[
                Attribute::string("value", "The id of the user.").case_exact().required().immutable(),
                Attribute::reference("$ref", &["User"], "The URL of the user.").read_only(),
                Attribute::string("type", "What kind of resource it is.").canonical(&["User"]).read_only(),
            ],
            "The member, a user of the same directory.",
        )
        .required()
        .immutable(),
    ],
};
