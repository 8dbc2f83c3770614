//! The only definition of the schemas (RFC 7643). Validation, filters, PATCH and the discovery endpoints all read it.

mod group;
mod group_membership;
mod user;

pub use group::GROUP;
pub use group_membership::GROUP_MEMBERSHIP;
pub use user::USER;

/// The URN of the core User schema.
pub const CORE_USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The URN of the core Group schema.
pub const CORE_GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The URN of the `GroupMembership` schema.
pub const CORE_GROUP_MEMBERSHIP: &str = "urn:ietf:params:scim:schemas:core:2.0:GroupMembership";
/// The URN of the enterprise User extension.
pub const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The URN of the extension that says which customer a user is linked to.
pub const USHER_USER: &str = "urn:scim:schemas:extension:usher:1.0:User";
/// The URN of the extension that says which organization a group is linked to.
pub const USHER_GROUP: &str = "urn:scim:schemas:extension:usher:1.0:Group";

/// The data type of an attribute (RFC 7643, section 2.3). No attribute here is an integer or a decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    String,
    Boolean,
    DateTime,
    Binary,
    Reference,
    Complex,
}

impl Type {
    /// The name in a schema representation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Type::String => "string",
            Type::Boolean => "boolean",
            Type::DateTime => "dateTime",
            Type::Binary => "binary",
            Type::Reference => "reference",
            Type::Complex => "complex",
        }
    }
}

/// When a client may write an attribute (RFC 7643, section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    ReadOnly,
    ReadWrite,
    Immutable,
}

impl Mutability {
    /// The name in a schema representation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Mutability::ReadOnly => "readOnly",
            Mutability::ReadWrite => "readWrite",
            Mutability::Immutable => "immutable",
        }
    }
}

/// When an attribute is returned (RFC 7643, section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    Always,
    Default,
    /// Only if a client names it.
    Request,
}

impl Returned {
    /// The name in a schema representation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Returned::Always => "always",
            Returned::Default => "default",
            Returned::Request => "request",
        }
    }
}

/// One attribute or sub-attribute.
#[derive(Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name, as it is stored and returned. Names in requests compare without regard to case.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Its data type.
    pub kind: Type,
    /// Whether it holds a list.
    pub multi_valued: bool,
    /// Whether a resource must have it.
    pub required: bool,
    /// Whether letter case matters when it is compared.
    pub case_exact: bool,
    /// Whether it is compared without the blanks around it, as the indexes have it.
    pub trimmed: bool,
    /// When a client may write it.
    pub mutability: Mutability,
    /// When it is returned.
    pub returned: Returned,
    /// Whether no two resources of a type in a directory may have the same value.
    pub unique: bool,
    /// Suggested values (`canonicalValues`); others are accepted too.
    pub canonical_values: &'static [&'static str],
    /// What a reference refers to (`referenceTypes`).
    pub reference_types: &'static [&'static str],
    /// The sub-attributes of a complex attribute.
    pub sub_attributes: &'static [Attribute],
}

impl Attribute {
    const fn new(name: &'static str, kind: Type, description: &'static str) -> Self {
        Attribute {
            name,
            description,
            kind,
            multi_valued: false,
            required: false,
            case_exact: false,
            trimmed: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            unique: false,
            canonical_values: &[],
            reference_types: &[],
            sub_attributes: &[],
        }
    }

    const fn string(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Type::String, description)
    }

    const fn boolean(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Type::Boolean, description)
    }

    const fn reference(name: &'static str, types: &'static [&'static str], description: &'static str) -> Self {
        Attribute { case_exact: true, reference_types: types, ..Self::new(name, Type::Reference, description) }
    }

    const fn complex(name: &'static str, sub_attributes: &'static [Attribute], description: &'static str) -> Self {
        Attribute { sub_attributes, ..Self::new(name, Type::Complex, description) }
    }

    const fn multi_valued(self) -> Self {
        Attribute { multi_valued: true, ..self }
    }

    const fn required(self) -> Self {
        Attribute { required: true, ..self }
    }

    const fn unique(self) -> Self {
        Attribute { unique: true, ..self }
    }

    const fn case_exact(self) -> Self {
        Attribute { case_exact: true, ..self }
    }

    const fn trimmed(self) -> Self {
        Attribute { trimmed: true, ..self }
    }

    const fn read_only(self) -> Self {
        Attribute { mutability: Mutability::ReadOnly, ..self }
    }

    const fn immutable(self) -> Self {
        Attribute { mutability: Mutability::Immutable, ..self }
    }

    const fn always_returned(self) -> Self {
        Attribute { returned: Returned::Always, ..self }
    }

    const fn returned_on_request(self) -> Self {
        Attribute { returned: Returned::Request, ..self }
    }

    const fn canonical(self, canonical_values: &'static [&'static str]) -> Self {
        Attribute { canonical_values, ..self }
    }

    /// The sub-attribute of this name, in any letter case.
    #[must_use]
    pub fn sub_attribute(&self, name: &str) -> Option<&'static Attribute> {
        find(self.sub_attributes, name)
    }

    /// Whether a client may write it at all.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.mutability != Mutability::ReadOnly
    }
}

fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// A schema: a URN and the attributes under it.
#[derive(Debug, PartialEq, Eq)]
pub struct Schema {
    /// Its URN.
    pub id: &'static str,
    /// The URN that drafts of SCIM 2.0 gave it. `OneLogin`'s template still sends it.
    pub draft_id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it describes.
    pub description: &'static str,
    /// Its attributes, without the common ones.
    pub attributes: &'static [Attribute],
}

impl Schema {
    /// Whether nothing of it is returned unless a client names it.
    #[must_use]
    pub fn is_on_request(&self) -> bool {
        self.attributes.iter().all(|attribute| attribute.returned == Returned::Request)
    }

    /// Whether this is its URN, in any letter case.
    #[must_use]
    pub fn is_named(&self, urn: &str) -> bool {
        self.id.eq_ignore_ascii_case(urn) || self.draft_id.eq_ignore_ascii_case(urn)
    }

    /// The attribute of this name, in any letter case.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        find(self.attributes, name)
    }
}

/// A resource type: an endpoint and its schemas.
#[derive(Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// Its name, which is also its id.
    pub name: &'static str,
    /// The endpoint below the base URL.
    pub endpoint: &'static str,
    /// What it is.
    pub description: &'static str,
    /// The core schema.
    pub schema: &'static Schema,
    /// The extensions; no resource must have one.
    pub extensions: &'static [Schema],
}

impl ResourceType {
    /// The extension of this URN, in any letter case.
    #[must_use]
    pub fn extension(&self, urn: &str) -> Option<&'static Schema> {
        self.extensions.iter().find(|schema| schema.is_named(urn))
    }

    /// The core or common attribute of this name, in any letter case.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.schema.attribute(name).or_else(|| find(COMMON, name))
    }
}

/// Every resource type of a directory that is stored as such. Memberships are seen as [`GROUP_MEMBERSHIP`] too, where the
/// directory's settings say so.
pub static RESOURCE_TYPES: [&ResourceType; 2] = [&USER, &GROUP];

/// The common attributes (RFC 7643, section 3.1). Schemas do not list them, and every resource has them.
pub static COMMON: &[Attribute] = &[
    Attribute::reference("schemas", &["uri"], "The URNs of the schemas of the resource.")
        .multi_valued()
        .required()
        .always_returned(),
    Attribute::string("id", "The identifier that the service provider gave the resource.")
        .case_exact()
        .read_only()
        .always_returned()
        .unique(),
    Attribute::string("externalId", "The identifier that the identity provider gave the resource.").case_exact(),
    Attribute::complex(
        "meta",
        &[
            Attribute::string("resourceType", "The name of the resource type.").case_exact().read_only(),
            Attribute::new("created", Type::DateTime, "When the resource was made.").read_only(),
            Attribute::new("lastModified", Type::DateTime, "When the resource was last changed.").read_only(),
            Attribute::reference("location", &["uri"], "The URL of the resource.").read_only(),
            Attribute::string("version", "The version of the resource, its entity tag.").case_exact().read_only(),
        ],
        "What the service provider keeps about the resource.",
    )
    .read_only(),
];
