//! The User resource type: core schema (RFC 7643, section 4.1) and enterprise extension (section 4.3).
//!
//! `password` is left out on purpose: customers sign in elsewhere, so there is nothing that a password could change,
//! and discovery does not offer it. Like every attribute that the schema does not know, it is ignored in requests.

use super::{Attribute, CORE_USER, ENTERPRISE_USER, ResourceType, Schema, Type, USHER_USER};

const DISPLAY: Attribute = Attribute::string("display", "A name for people to read.");
const PRIMARY: Attribute = Attribute::boolean("primary", "Whether this is the preferred one; at most one is.");

const fn kind(canonical: &'static [&'static str]) -> Attribute {
    Attribute::string("type", "What it is used for.").canonical(canonical)
}

/// The User resource type.
pub static USER: ResourceType = ResourceType {
    name: "User",
    endpoint: "/Users",
    description: "A person whom the identity provider knows.",
    schema: &CORE,
    extensions: &EXTENSIONS,
};

static CORE: Schema = Schema {
    id: CORE_USER,
    draft_id: "urn:scim:schemas:core:2.0",
    name: "User",
    description: "A person whom the identity provider knows.",
    attributes: &[
        Attribute::string("userName", "The name with which the user signs in, usually an email address.")
            .required()
            .unique()
            .trimmed(),
        Attribute::complex(
            "name",
            &[
                Attribute::string("formatted", "The full name, ready to show."),
                Attribute::string("familyName", "The family name."),
                Attribute::string("givenName", "The given name."),
                Attribute::string("middleName", "The middle names."),
                Attribute::string("honorificPrefix", "What stands before the name."),
                Attribute::string("honorificSuffix", "What stands behind the name."),
            ],
            "The parts of the name.",
        ),
        Attribute::string("displayName", "The name to show."),
        Attribute::string("nickName", "How the user is called casually."),
        Attribute::reference("profileUrl", &["external"], "A page about the user."),
        Attribute::string("title", "The title, such as \"Vice President\"."),
        Attribute::string("userType", "How the user is related to the organization."),
        Attribute::string("preferredLanguage", "The preferred languages, as in Accept-Language."),
        Attribute::string("locale", "The locale, such as \"en-US\"."),
        Attribute::string("timezone", "The time zone in the IANA database, such as \"Europe/Berlin\"."),
        Attribute::boolean("active", "Whether the user has access; true unless said otherwise."),
        Attribute::complex(
            "emails",
            &[
                Attribute::string("value", "The email address.").trimmed(),
                DISPLAY,
                kind(&["work", "home", "other"]),
                PRIMARY,
            ],
            "Email addresses. The primary one, else the first, identifies the customer.",
        )
        .multi_valued(),
        Attribute::complex(
            "phoneNumbers",
            &[
                Attribute::string("value", "The phone number."),
                DISPLAY,
                kind(&["work", "home", "mobile", "fax", "pager", "other"]),
                PRIMARY,
            ],
            "Phone numbers.",
        )
        .multi_valued(),
        Attribute::complex(
            "ims",
            &[
                Attribute::string("value", "The address."),
                DISPLAY,
                kind(&["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"]),
                PRIMARY,
            ],
            "Instant messaging addresses.",
        )
        .multi_valued(),
        Attribute::complex(
            "photos",
            &[
                Attribute::reference("value", &["external"], "The URL of the picture."),
                DISPLAY,
                kind(&["photo", "thumbnail"]),
                PRIMARY,
            ],
            "Pictures of the user.",
        )
        .multi_valued(),
        Attribute::complex(
            "addresses",
            &[
                Attribute::string("formatted", "The full address, ready to show."),
                Attribute::string("streetAddress", "Street, house number, floor."),
                Attribute::string("locality", "City."),
                Attribute::string("region", "State or region."),
                Attribute::string("postalCode", "Postal code."),
                Attribute::string("country", "Country, as in ISO 3166-1 alpha-2."),
                kind(&["work", "home", "other"]),
                PRIMARY,
            ],
            "Postal addresses.",
        )
        .multi_valued(),
        Attribute::complex(
            "groups",
            &[
                Attribute::string("value", "The id of the group.").case_exact().read_only(),
                Attribute::reference("$ref", &["Group"], "The URL of the group.").read_only(),
                Attribute::string("display", "The name of the group.").read_only(),
                Attribute::string("type", "How the user belongs to it.").canonical(&["direct"]).read_only(),
            ],
            "The groups that the user is a member of. Changed through the groups.",
        )
        .multi_valued()
        .read_only(),
        Attribute::complex(
            "entitlements",
            &[Attribute::string("value", "The entitlement."), DISPLAY, kind(&[]), PRIMARY],
            "Entitlements; kept, without effect here.",
        )
        .multi_valued(),
        Attribute::complex(
            "roles",
            &[Attribute::string("value", "The role."), DISPLAY, kind(&[]), PRIMARY],
            "Roles; kept, without effect here.",
        )
        .multi_valued(),
        Attribute::complex(
            "x509Certificates",
            &[
                Attribute::new("value", Type::Binary, "The certificate, DER in base64.").case_exact(),
                DISPLAY,
                kind(&[]),
                PRIMARY,
            ],
            "Certificates.",
        )
        .multi_valued(),
    ],
};

static EXTENSIONS: [Schema; 2] = [ENTERPRISE, USHER];

const ENTERPRISE: Schema = Schema {
    id: ENTERPRISE_USER,
    draft_id: "urn:scim:schemas:extension:enterprise:2.0",
    name: "EnterpriseUser",
    description: "What an enterprise keeps about its people.",
    attributes: &[
        Attribute::string("employeeNumber", "The number of the employee."),
        Attribute::string("costCenter", "The cost center."),
        Attribute::string("organization", "The organization."),
        Attribute::string("division", "The division."),
        Attribute::string("department", "The department."),
        Attribute::complex(
            "manager",
            &[
                Attribute::string("value", "The id of the manager's user.").case_exact(),
                Attribute::reference("$ref", &["User"], "The URL of the manager's user."),
                Attribute::string("displayName", "The manager's name."),
            ],
            "The manager.",
        ),
    ],
};

const USHER: Schema = Schema {
    id: USHER_USER,
    draft_id: USHER_USER,
    name: "UsherUser",
    description: "What the service desk made of the user. Returned only where a client names it.",
    attributes: &[Attribute::string("customerId", "The id of the customer that the user is linked to.")
        .case_exact()
        .read_only()
        .returned_on_request()],
};
