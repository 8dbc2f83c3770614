//! `/admin/v1/totals`

use super::super::admin_request::AdminRequest;
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::shape::ok;
use serde::Serialize;

#[derive(Serialize)]
struct Totals {
    customers: Customers,
    organizations: Organizations,
    projects: u64,
    directories: Vec<Directory>,
}

#[derive(Serialize)]
struct Customers {
    all: u64,
    local: u64,
    managed: u64,
    inactive: u64,
}

#[derive(Serialize)]
struct Organizations {
    all: u64,
    local: u64,
    managed: u64,
}

#[derive(Serialize)]
struct Directory {
    id: String,
    name: String,
    customers: u64,
    inactive: u64,
    organizations: u64,
}

pub(super) async fn read(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [] = request.query([])?;
    let totals = request.state.site.totals().await??;
    let (customers, organizations) = (totals.customers, totals.organizations);
    let directories = totals.directories.into_iter().map(|directory| Directory {
        id: directory.id,
        name: directory.name,
        customers: directory.customers,
        inactive: directory.inactive,
        organizations: directory.organizations,
    });
    Ok(ok(&Totals {
        customers: Customers {
            all: customers.all,
            local: customers.local,
            managed: customers.managed,
            inactive: customers.inactive,
        },
        organizations: Organizations {
            all: organizations.all,
            local: organizations.local,
            managed: organizations.managed,
        },
        projects: totals.projects,
        directories: directories.collect(),
    }))
}
