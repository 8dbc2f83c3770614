//! What was done, as the page tells it that one comes to afterwards.

macro_rules! done {
    ($($name:ident $word:literal $text:literal)+) => {
        /// Something that was done. The address of the page names it by a word of this list, so that no text of others
        /// gets onto a page in this way.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Done {
            $($name),+
        }

        impl Done {
            const ALL: &[Self] = &[$(Self::$name),+];

            /// As it stands in the address.
            pub(super) fn word(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// As the page says it.
            pub(super) fn text(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

done! {
    KeyRevoked "key-revoked" "The key is revoked."
    SettingsSaved "settings-saved" "The settings are saved."
    SetupLinkRevoked "setup-link-revoked" "The set-up link is taken back."
    DirectoryStaged "directory-staged" "The directory is staged: what it pushes from now on is planned."
    ApplyStarted "apply-started" "The plan is being applied. This page follows it; you can leave it and come back."
    DeletionsReleased "deletions-released" "Deletions and deactivations go through for an hour."
    ConflictAdopted "conflict-adopted" "The group has the organization."
    ConflictRenamed "conflict-renamed" "The organization is renamed, and its old name is the group's."
    ConflictLeft "conflict-left" "The group is left apart. It can be taken up again here."
    CaptureStarted "capture-started" "Bodies are being captured."
    CaptureStopped "capture-stopped" "No more bodies are captured. Those that were stay in the log."
    RulesApplied "rules-applied" "The rules are applied."
    GroupRepaired "group-repaired" "The group and its organization are put right."
    GroupRepairedInPart "group-repaired-in-part" "A part is put right. Compare again for what is left."
    DirectoryDisconnected "directory-disconnected" "The directory is disconnected. What it managed is local now."
    DirectoryRemoved "directory-removed" "The directory is disconnected, and what it managed is removed."
    CustomerMade "customer-made" "The customer is made."
    CustomerSaved "customer-saved" "The customer is saved."
    CustomerDeleted "customer-deleted" "The customer is deleted."
    CustomerRestored "customer-restored" "The customer is restored."
    CustomerErased "customer-erased" "The customer is erased for good."
    CustomerUnlinked "customer-unlinked" "The customer is local now."
    CustomerLinked "customer-linked" "The customer is linked."
    OrganizationMade "organization-made" "The organization is made."
    OrganizationRenamed "organization-renamed" "The organization is renamed."
    OrganizationDeleted "organization-deleted" "The organization is deleted."
    OrganizationRestored "organization-restored" "The organization is restored."
    OrganizationUnlinked "organization-unlinked" "The organization is local now."
    MemberAdded "member-added" "The customer is a member."
    MemberRemoved "member-removed" "The customer is no longer a member."
    ProjectMade "project-made" "The project is made."
    ProjectSaved "project-saved" "The project is saved."
    ProjectDeleted "project-deleted" "The project is deleted."
    ProjectOpened "project-opened" "The project is open to it."
    ProjectClosed "project-closed" "The project is closed to it."
}

impl Done {
    /// What a word in an address names.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|done| done.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_names_one_and_others_name_none() {
        for done in Done::ALL {
            assert_eq!(Done::of(done.word()), Some(*done));
        }
        assert_eq!((Done::of(""), Done::of("<script>")), (None, None));
    }
}
