//! What attributes and settings are called where the feed says that they changed.

/// An attribute of a user, group, customer or project. One of which no word is known is called as SCIM does.
pub(super) fn changed(name: &str) -> &str {
    match name {
        "displayName" | "name" => "the name",
        "userName" => "the login",
        "email" | "emails" => "the address",
        "externalId" => "the external id",
        "active" => "the status",
        "timezone" | "timeZone" => "the time zone",
        "locale" => "the locale",
        "preferredLanguage" => "the language",
        "phoneNumbers" => "phone numbers",
        "addresses" => "postal addresses",
        "nickName" => "the nickname",
        "title" => "the title",
        "audience" => "the audience",
        "members" => "the members",
        // The extension of enterprises, as a whole.
        name if name.starts_with("urn:") => name.rsplit(':').next().unwrap_or(name),
        name => name,
    }
}

/// A setting of a directory or of the site.
pub(super) fn setting(name: &str) -> &str {
    match name {
        "name" => "the name",
        "conflictPolicy" => "the conflict policy",
        "adoptionGraceSeconds" => "the grace of adoptions",
        "emailChange" => "what becomes of changed addresses",
        "email" => "whether users need an address",
        "unknownMembers" => "what becomes of unknown members",
        "deletionLimit" => "the deletion limit",
        "domains" => "the domains",
        "outsideDomains" => "what becomes of users outside the domains",
        "projectRules" => "the project rules",
        "mode" => "the mode",
        "silentAfter" => "when it counts as silent",
        "membershipResources" => "whether memberships are resources",
        "locales" => "the locales",
        "defaultLocale" => "the default locale",
        "maxMembers" => "the limit of members",
        "maxGroups" => "the limit of groups",
        "retentionDays" => "the retention time",
        name => name,
    }
}

/// Why a user or a customer was unlinked, as the feed says it.
pub(super) fn why_unlinked(reason: &str) -> &str {
    match reason {
        "noEmail" => "it has no email address",
        "outsideDomains" => "its address is outside of the domains",
        "addressTaken" => "somebody else has its address",
        reason => reason,
    }
}
