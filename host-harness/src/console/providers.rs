//! What to do at each identity provider: where the URL and the key are entered, which attributes to map, and what goes
//! wrong there.

/// An identity provider.
pub(super) struct Provider {
    /// As it stands in addresses.
    pub(super) word: &'static str,
    pub(super) name: &'static str,
    /// What it calls the SCIM base URL.
    pub(super) url: &'static str,
    /// What it calls the key.
    pub(super) key: &'static str,
    /// What to do there, in order. Names of its pages, fields and buttons stand in “quotation marks”.
    pub(super) steps: &'static [&'static str],
    /// What to map.
    pub(super) mapping: &'static [Mapped],
    /// What goes wrong there, the likeliest first.
    pub(super) traps: &'static [&'static str],
}

/// An attribute of SCIM, and what it comes from at the identity provider.
pub(super) struct Mapped {
    pub(super) attribute: &'static str,
    pub(super) from: &'static str,
    /// What it is good for here.
    pub(super) becomes: &'static str,
}

const fn mapped(attribute: &'static str, from: &'static str, becomes: &'static str) -> Mapped {
    Mapped { attribute, from, becomes }
}

const LOGIN: &str = "The login; unique in the directory";
const ADDRESS: &str = "The customer's address: who it is is found by it";
const NAME: &str = "The customer's name";
const ACTIVE: &str = "Whether portals are open to the customer";
const ANCHOR: &str = "Finds the user again after it was renamed";
const ORGANIZATION: &str = "The name of the organization";
const MEMBERS: &str = "The customers in the organization";

/// All that there are instructions for; the last one stands for any other.
pub(super) static PROVIDERS: [Provider; 8] = [
    Provider {
        word: "entra",
        name: "Microsoft Entra ID",
        url: "Tenant URL",
        key: "Secret Token",
        steps: &[
            "In the Entra admin center, open “Enterprise apps”, then “New application”, “Create your own application”, and \
             choose “Integrate any other application you don't find in the gallery (Non-gallery)”.",
            "In the new application, open “Provisioning” and make a new configuration (where it asks for a mode: \
             “Automatic”).",
            "Enter “Tenant URL” and “Secret Token”, press “Test connection”, and save.",
            "Under “Attribute mapping”, look through the mappings of users and groups, and compare them with those below.",
            "Under “Users and groups”, assign who is to be pushed. Then press “Start provisioning”.",
        ],
        mapping: &[
            mapped("userName", "userPrincipalName", LOGIN),
            mapped("emails[type eq \"work\"].value", "mail", ADDRESS),
            mapped("displayName", "displayName", NAME),
            mapped("active", "Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")", ACTIVE),
            mapped("externalId", "objectId, in place of mailNickname", ANCHOR),
            mapped("displayName (groups)", "displayName", ORGANIZATION),
            mapped("members (groups)", "members", MEMBERS),
        ],
        traps: &[
            "Whoever has no “mail” comes without an address, and is known by the login instead, if that looks like an \
             address: often one that nobody reads.",
            "Only direct members of an assigned group are pushed, and not those of groups in it. To assign groups at all \
             takes a licence (P1).",
            "It pushes every 40 minutes, and the first round can take hours. “Provision on demand” pushes one user at once.",
        ],
    },
    Provider {
        word: "okta",
        name: "Okta",
        url: "SCIM connector base URL",
        key: "Authorization, under “HTTP Header”",
        steps: &[
            "Under “Applications”, press “Create App Integration”, and choose “SAML 2.0” or “SWA”. For OpenID Connect there \
             is no SCIM.",
            "In the application, under “General”, edit “App Settings”, choose “SCIM” for “Provisioning”, and save.",
            "Under “Provisioning”, “Integration”, enter the “SCIM connector base URL”, and userName as “Unique identifier \
             field for users”. Tick “Push New Users”, “Push Profile Updates” and “Push Groups”.",
            "Choose “HTTP Header” for “Authentication Mode”, enter the key, press “Test Connector Configuration”, and save.",
            "Under “Provisioning”, “To App”, enable “Create Users”, “Update User Attributes” and “Deactivate Users”.",
            "Under “Assignments”, assign who is to be pushed, and under “Push Groups” the groups that become organizations.",
        ],
        mapping: &[
            mapped("userName", "Application username: Email", LOGIN),
            mapped("email", "user.email, type “work”", ADDRESS),
            mapped("displayName", "user.displayName", NAME),
            mapped("givenName, familyName", "user.firstName, user.lastName", "The name, where there is no other"),
        ],
        traps: &[
            "To assign a group pushes its users, and not the group. It becomes an organization only if it is under “Push \
             Groups” as well, and Okta wants another group for that than the one that is assigned.",
            "Okta deletes nobody: who is unassigned is deactivated, and keeps the memberships here without effect.",
            "What has no mapping any more is cleared with the next push of the user.",
        ],
    },
    Provider {
        word: "google",
        name: "Google Workspace",
        url: "Endpoint URL",
        key: "Access token",
        steps: &[
            "In the Admin console, open “Apps”, then “Web and mobile apps”, and there the app; a custom SAML app, if there is \
             none yet.",
            "Open “Auto-provisioning”, and set it up with “Access token” and “Endpoint URL”.",
            "Compare the mapping of the attributes with the one below.",
            "Choose for which groups it is, and after how long who leaves is suspended or deleted.",
            "Turn “Auto-provisioning” on, and the app itself on for those who are to be pushed.",
        ],
        mapping: &[
            mapped("userName", "Basic information: Primary email", LOGIN),
            mapped("emails.value", "Basic information: Primary email", ADDRESS),
            mapped("name.givenName", "Basic information: First name", NAME),
            mapped("name.familyName", "Basic information: Last name", NAME),
        ],
        traps: &[
            "Google pushes users. The groups that are chosen say who is pushed, and do not become organizations: keep those \
             here, by hand or over the API.",
            "Not every app and edition has “Auto-provisioning”. Where it is missing, another identity provider between the two \
             can push.",
            "Who leaves goes on working until the chosen delay is over: a day at least, if it is not set to “within 24 hours”.",
        ],
    },
    Provider {
        word: "jumpcloud",
        name: "JumpCloud",
        url: "Base URL",
        key: "Token Key",
        steps: &[
            "Under “SSO Applications”, add a “Custom Application”, and choose “Export users to this app (Identity Management)”.",
            "In the application, open “Identity Management”. Choose SCIM 2.0, and enter “Base URL” and “Token Key”.",
            "Enter a “Test User Email” that nobody has, press “Test Connection”, then “Activate”.",
            "Switch the management of groups on, if groups are to become organizations.",
            "Under “User Groups”, choose the groups whose members are to be pushed, and save.",
        ],
        mapping: &[
            mapped("userName", "Company Email", LOGIN),
            mapped("emails[type eq \"work\"].value", "Company Email", ADDRESS),
            mapped("displayName", "Display Name", NAME),
            mapped("active", "User State", ACTIVE),
        ],
        traps: &[
            "The test makes a user and a group, and deletes them again. In a live directory they are a customer and an \
             organization for a moment; in a staged one, nobody sees them.",
            "A group without members is not pushed until somebody is in it.",
            "A group that has the name of one that is here already takes that one over.",
        ],
    },
    Provider {
        word: "onelogin",
        name: "OneLogin",
        url: "SCIM Base URL",
        key: "SCIM Bearer Token",
        steps: &[
            "Under “Applications”, press “Add App”, and choose “SCIM Provisioner with SAML (SCIM v2 Enterprise)”.",
            "Under “Configuration”, enter “SCIM Base URL” and “SCIM Bearer Token”.",
            "In the “SCIM JSON Template”, see that there is an address, as in the mapping below. Then press “Enable” at “API \
             Connection”.",
            "Under “Provisioning”, tick “Enable provisioning”, and untick the approval of “Create”, “Update” and “Delete”.",
            "For organizations, under “Parameters”, “Groups”, tick “Include in User Provisioning”, and say with “Rules” which \
             groups there are.",
            "Under “Access”, choose the roles whose users are to be pushed.",
        ],
        mapping: &[
            mapped("userName", "{$parameters.scimusername}, set to Email", LOGIN),
            mapped("emails[0].value", "{$user.email}, type “work”, primary", ADDRESS),
            mapped("displayName", "{$user.display_name}", NAME),
        ],
        traps: &[
            "While approval is ticked, nothing is pushed until somebody approves it under “Users”, “Provisioning”.",
            "Other variants of the app have a template without an address: whose login is no address either has no customer.",
            "Groups come from rules alone: without one, there are users and no organizations.",
        ],
    },
    Provider {
        word: "ping",
        name: "Ping Identity",
        url: "SCIM base URL",
        key: "OAuth Access Token",
        steps: &[
            "In PingOne, open “Integrations”, “Provisioning”, and add a “New connection”: “Identity Store”, “SCIM Outbound”.",
            "Enter the “SCIM base URL”, /Users as “Users resource”, /Groups as “Groups resource”, and 2.0 as “SCIM version”.",
            "Choose “OAuth 2 Bearer Token” as “Authentication method”, enter the token, and “Bearer” as “Auth type header”. \
             Press “Test connection”.",
            "Leave the user filter as it is: userName eq \"%s\". Choose what is done with who leaves: disable or delete.",
            "Add a “New rule” from PingOne to this connection: who is pushed, which groups, and the mapping below.",
            "Switch on the connection, and then the rule.",
        ],
        mapping: &[
            mapped("userName", "Username, or Email Address", LOGIN),
            mapped("workEmail", "Email Address", ADDRESS),
            mapped("displayName", "Formatted", NAME),
            mapped("active", "Enabled", ACTIVE),
        ],
        traps: &[
            "A connection without a rule pushes nothing, and neither does a rule that is not switched on.",
            "Groups are chosen in the rule, one by one. Without them, there are users and no organizations.",
            "With PingFederate, the “Unique User Identifier” cannot be changed later but by a new connection: leave it at \
             userName.",
        ],
    },
    Provider {
        word: "keycloak",
        name: "Keycloak",
        url: "SCIM 2.0 endpoint",
        key: "Auth password/token",
        steps: &[
            "Keycloak itself pushes nothing: put an extension that does, such as keycloak-scim, into its folder “providers”, and \
             start it again.",
            "Under “Realm settings”, “Events”, add “scim” to the event listeners.",
            "Under “User federation”, add a provider “scim”. Enter the endpoint, application/scim+json as content type, \
             “BEARER” as “Auth mode”, and the key.",
            "Enable the propagation of users, and that of groups, if groups are to become organizations.",
            "Set a periodic full sync, and press “Sync all users” once.",
        ],
        mapping: &[
            mapped("userName", "Username", LOGIN),
            mapped("emails.value", "Email", ADDRESS),
            mapped("displayName", "First and last name", NAME),
            mapped("active", "Enabled", ACTIVE),
        ],
        traps: &[
            "What is refused here is logged there and not pushed again: without a periodic full sync, it stays so.",
            "It sends on what is done in Keycloak itself. Users of a federated LDAP come with the full sync.",
            "“Import during sync” with “Delete remote” deletes users here that Keycloak does not know: leave it off.",
        ],
    },
    Provider {
        word: "other",
        name: "Any other",
        url: "SCIM base URL",
        key: "Bearer token",
        steps: &[
            "Look there for provisioning, or outbound synchronisation, over SCIM 2.0.",
            "Enter the URL. It may end with /v2, if it is asked to.",
            "Choose a bearer token (or a header “Authorization: Bearer …”) for authentication, and enter the key.",
            "Map the attributes below, and choose who is pushed.",
            "Test the connection, and start it.",
        ],
        mapping: &[
            mapped("userName", "The login", LOGIN),
            mapped("emails, the primary one", "The address that the person reads", ADDRESS),
            mapped("displayName", "The name", NAME),
            mapped("active", "Whether the account is enabled", ACTIVE),
            mapped("externalId", "An id that never changes", ANCHOR),
            mapped("displayName (groups)", "The name of the group", ORGANIZATION),
            mapped("members (groups)", "The users in the group", MEMBERS),
        ],
        traps: &[
            "Members have to be users that were pushed before their group; groups in groups are refused.",
            "A changed address is refused, unless the settings of the directory say that it is followed.",
        ],
    },
];

/// The one that a word names.
pub(super) fn named(word: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.word == word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_says_all_that_is_to_be_entered_and_mapped() {
        let words: BTreeSet<&str> = PROVIDERS.iter().map(|provider| provider.word).collect();
        assert_eq!(words.len(), PROVIDERS.len());
        for provider in &PROVIDERS {
            assert!(named(provider.word).is_some_and(|found| found.name == provider.name));
            assert!(provider.steps.len() >= 4 && !provider.traps.is_empty(), "{}", provider.name);
            for wanted in [LOGIN, ADDRESS] {
                let count = provider.mapping.iter().filter(|mapped| mapped.becomes == wanted).count();
                assert_eq!(count, 1, "{}: {wanted}", provider.name);
            }
            for text in provider.steps.iter().chain(provider.traps) {
                assert!(text.ends_with('.') && !text.contains("  "), "{}: {text}", provider.name);
                assert_eq!(text.matches('“').count(), text.matches('”').count(), "{}: {text}", provider.name);
            }
        }
        assert!(named("").is_none() && named("Okta").is_none());
    }
}
