//! What became of the site's own customers and organizations.

use super::admin::answered;
use super::sample::Sample;
use indicatif::HumanCount;
use std::fmt;
use usher_host::Site;
use usher_host::site::{Access, Customer, Organization, Position, Reason};

/// How many entries are read at once.
const PAGE: u32 = 1_000;

/// The site after the sync.
pub(super) struct OnSite {
    customers: Count,
    organizations: Count,
    /// Those of the site's own customers whom the identity providers pushed as well.
    known: Vec<Customer>,
    /// Those whom nobody pushed, members of the organization that was adopted.
    others: Vec<Customer>,
    adopted: Option<Organization>,
    apart: Option<Organization>,
    project: &'static str,
    /// Who may use the project, by email address.
    access: Vec<(String, Access)>,
}

#[derive(Default)]
struct Count {
    managed: u64,
    local: u64,
}

impl Count {
    fn add(&mut self, managed_by: Option<&String>) {
        match managed_by {
            Some(_) => self.managed += 1,
            None => self.local += 1,
        }
    }
}

/// Looks at what became of the sample.
pub(super) async fn look(site: &Site, sample: &Sample) -> Result<OnSite, String> {
    let mut customers = Count::default();
    let mut position = Position::START;
    loop {
        let page = answered(site.customers(position, PAGE).await)?;
        page.values.iter().for_each(|customer| customers.add(customer.managed_by.as_ref()));
        let Some(next) = page.next else { break };
        position = Position::After(next);
    }
    let (mut organizations, mut adopted, mut apart) = (Count::default(), None, None);
    let mut position = Position::START;
    loop {
        let page = answered(site.organizations(position, PAGE).await)?;
        for organization in page.values {
            organizations.add(organization.managed_by.as_ref());
            if organization.name == sample.adopted {
                adopted = Some(organization);
            } else if organization.name == sample.apart {
                apart = Some(organization);
            }
        }
        let Some(next) = page.next else { break };
        position = Position::After(next);
    }
    let mut known = Vec::new();
    for id in &sample.known {
        known.push(answered(site.customer(id).await)?);
    }
    let mut others = Vec::new();
    for id in &sample.others {
        others.push(answered(site.customer(id).await)?);
    }
    let (number, project) = sample.project;
    let mut access = Vec::new();
    for customer in known.iter().chain(&others) {
        access.push((customer.email.clone(), answered(site.access_to(&customer.id, number).await)?));
    }
    Ok(OnSite { customers, organizations, known, others, adopted, apart, project, access })
}

impl fmt::Display for OnSite {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\nThe site had customers and organizations of its own. Now it has:\n")?;
        for (what, count) in [("customers", &self.customers), ("organizations", &self.organizations)] {
            let (managed, local) = (HumanCount(count.managed).to_string(), HumanCount(count.local).to_string());
            writeln!(out, "  {what:<18} {managed:>9} managed by a directory {local:>6} local")?;
        }
        writeln!(out)?;
        for customer in &self.known {
            let Customer { email, display_name, .. } = customer;
            match &customer.managed_by {
                Some(_) => writeln!(out, "  {email:<33} was here: linked, now {display_name:?}")?,
                None => writeln!(out, "  {email:<33} was here: nobody pushed it, it stays local")?,
            }
        }
        let others: Vec<&str> = self.others.iter().map(|customer| customer.display_name.as_str()).collect();
        let others = others.join(" and ");
        if let Some(organization) = &self.adopted {
            let Organization { id, name, .. } = organization;
            match organization.managed_by {
                Some(_) => writeln!(
                    out,
                    "  {name:?} was here: adopted by its directory (policy sync).\n    \
                     It is number {id} still and keeps its project. Its members are now those of\n    \
                     the group: {others} are not among them"
                )?,
                None => writeln!(out, "  {name:?} was here: nobody pushed it, it stays local")?,
            }
        }
        if let Some(Organization { name, .. }) = &self.apart {
            writeln!(
                out,
                "  {name:?} was here: its directory leaves it alone (policy skip).\n    \
                 That conflict is the administrator's to resolve"
            )?;
        }
        writeln!(out, "\nWho may use {:?}, which is restricted, and why:\n", self.project)?;
        self.access.iter().try_for_each(|(email, access)| writeln!(out, "  {email:<33} {}", told(access)))
    }
}

fn told(access: &Access) -> String {
    let reason = |reason: &Reason| match reason {
        Reason::Open => "open to everybody".to_owned(),
        Reason::Direct => "one of its own customers".to_owned(),
        Reason::Organization((_, name)) => format!("through {name}"),
        Reason::Deactivated => "deactivated".to_owned(),
    };
    let reasons: Vec<String> = access.reasons.iter().map(reason).collect();
    match (access.allowed, reasons.is_empty()) {
        (true, _) => format!("yes: {}", reasons.join(", ")),
        (false, true) => "no: in none of its organizations".to_owned(),
        (false, false) => format!("no: {}", reasons.join(", ")),
    }
}
