//! Projects by rule.

use serde_json::json;
use usher_engine::directories::{ConflictPolicy, ProjectRule, Settings, SettingsUpdate};
use usher_engine::provisioning::conflicts::Resolution;
use usher_engine::site::projects::Audience;
use usher_engine::site::{Page, Position};

use super::integrity;
use super::site::{Directory, Site, settings};
use super::staging::{apply, rename, staged};

fn rule(pattern: &str, projects: &[u64]) -> ProjectRule {
    ProjectRule { pattern: pattern.to_string(), projects: projects.to_vec() }
}

/// The numbers of the projects of an organization.
fn projects(site: &Site, organization: &str) -> Vec<u64> {
    let (engine, id) = (site.engine(), site.organization(organization).unwrap());
    let all = engine.projects(&Position::Offset(0), 100).unwrap().values.into_iter().map(|project| project.id);
    let has = |project: &u64| {
        let organizations = engine.project_organizations(*project, None, &Position::Offset(0), 1_000).unwrap().values;
        organizations.iter().any(|organization| organization.id == id)
    };
    all.filter(has).collect()
}

fn with_projects() -> (Site, [u64; 3]) {
    let site = Site::new();
    let make = |key: &str| site.engine().create_project("ann", key, key, Audience::Restricted).unwrap().id;
    let made = ["HELP", "SALES", "LEGAL"].map(make);
    (site, made)
}

fn set(directory: &Directory<'_>, rules: Vec<ProjectRule>) {
    let update = SettingsUpdate { project_rules: Some(rules), ..SettingsUpdate::default() };
    directory.site.engine().update_directory("ann", &directory.id, &update).unwrap();
}

#[test]
fn organizations_that_are_made_or_adopted_are_associated_at_once() {
    let (site, [help, sales, legal]) = with_projects();
    site.engine().create_organization("ann", "Sales EMEA").unwrap();
    let rules = vec![rule("*", &[help]), rule("sales *", &[sales, help]), rule("Büro", &[legal])];
    let idp = site.connect(&Settings { project_rules: rules.clone(), ..settings("idp") });
    assert_eq!(site.engine().directory(&idp.id).unwrap().settings.project_rules, rules);
    idp.group("SALES EMEA", &[]);
    let other = idp.group("Other", &[]);
    idp.group("Bu\u{308}ro", &[]);
    assert_eq!(projects(&site, "Sales EMEA"), [help, sales]);
    assert_eq!(projects(&site, "Other"), [help]);
    assert_eq!(projects(&site, "Bu\u{308}ro"), [help, legal]);
    // A rename is neither; and nothing is taken away.
    let rename = json!([{ "op": "replace", "path": "displayName", "value": "Sales APAC" }]);
    idp.patch(&format!("/Groups/{other}"), rename).expect(200);
    assert_eq!(projects(&site, "Sales APAC"), [help]);
    set(&idp, Vec::new());
    assert_eq!(projects(&site, "Sales EMEA"), [help, sales]);
    idp.group("Sales later", &[]);
    assert!(projects(&site, "Sales later").is_empty());
    integrity::check(&site.storage);
}

#[test]
fn what_is_planned_is_associated_by_the_name_that_it_is_made_with() {
    let (site, [help, sales, _]) = with_projects();
    let rules = vec![rule("help *", &[help]), rule("sales *", &[sales])];
    let idp = site.connect(&Settings { project_rules: rules, ..staged("idp") });
    let group = idp.group("Help desk", &[]);
    rename(&idp, &format!("/Groups/{group}"), "Sales desk").expect(200);
    apply(&idp);
    assert_eq!(projects(&site, "Sales desk"), [sales]);
    integrity::check(&site.storage);
}

#[test]
fn a_conflict_that_is_resolved_counts_as_adopted_or_made() {
    let (site, [help, ..]) = with_projects();
    site.engine().create_organization("ann", "Desk").unwrap();
    let rules = vec![rule("de*k", &[help])];
    let apart = Settings { conflict_policy: ConflictPolicy::Skip, project_rules: rules, ..settings("idp") };
    let idp = site.connect(&apart);
    let group = idp.group("Desk", &[]);
    assert!(projects(&site, "Desk").is_empty());
    site.engine().resolve_conflict("ann", &idp.id, &group, &Resolution::Rename("Old".into())).unwrap();
    assert_eq!((projects(&site, "Desk"), projects(&site, "Old")), (vec![help], vec![]));
    integrity::check(&site.storage);
}

#[test]
fn existing_ones_are_associated_on_demand_with_a_preview() {
    let (site, [help, sales, _]) = with_projects();
    let idp = site.connect(&settings("idp"));
    for n in 0..7 {
        idp.group(&format!("Sales {n}"), &[]);
    }
    idp.group("Other", &[]);
    set(&idp, vec![rule("Sales *", &[sales, help])]);
    let (engine, third) = (site.engine(), site.organization("Sales 3").unwrap());
    engine.associate_organization("ann", help, third, true).unwrap();
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let Page { values, next } = engine.preview_rules(&idp.id, cursor.as_deref(), 3).unwrap();
        seen.extend(values);
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    let expected = |n: usize| -> Vec<(u64, String)> {
        let all = [(help, "HELP"), (sales, "SALES")].map(|(id, name)| (id, name.to_string()));
        all.into_iter().filter(|(id, _)| n != 3 || *id != help).collect()
    };
    let named: Vec<_> = seen.iter().map(|effect| (effect.name.as_str(), effect.projects.clone())).collect();
    let names: Vec<String> = (0..7).map(|n| format!("Sales {n}")).collect();
    assert_eq!(named, names.iter().enumerate().map(|(n, name)| (name.as_str(), expected(n))).collect::<Vec<_>>());
    let (mut made, mut cursor) = (0, None);
    loop {
        let applied = engine.apply_rules("ann", &idp.id, cursor.as_deref(), 3).unwrap();
        made += applied.associations;
        cursor = applied.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(made, 13);
    assert_eq!(projects(&site, "Sales 5"), [help, sales]);
    assert!(projects(&site, "Other").is_empty());
    assert_eq!(engine.apply_rules("ann", &idp.id, None, 1_000).unwrap().associations, 0);
    assert!(engine.preview_rules(&idp.id, None, 1_000).unwrap().values.is_empty());
    integrity::check(&site.storage);
    // A project that is gone is passed over.
    engine.delete_project("ann", sales).unwrap();
    idp.group("Sales new", &[]);
    assert_eq!(projects(&site, "Sales new"), [help]);
    engine.disconnect("ann", &idp.id, false).unwrap();
    integrity::check(&site.storage);
}

#[test]
fn what_is_no_rule_is_refused() {
    let (site, [help, ..]) = with_projects();
    let idp = site.connect(&settings("idp"));
    let before = site.content();
    for rules in [
        vec![rule("", &[help])],
        vec![rule(&"x".repeat(201), &[help])],
        vec![rule("a\u{202e}*", &[help])],
        vec![rule("*", &[])],
        vec![rule("*", &[99])],
        vec![rule("*", &[help; 101])],
        vec![rule("*", &[help]); 201],
    ] {
        let update = SettingsUpdate { project_rules: Some(rules), ..SettingsUpdate::default() };
        site.engine().update_directory("ann", &idp.id, &update).unwrap_err();
        assert_eq!(site.content(), before);
    }
}
