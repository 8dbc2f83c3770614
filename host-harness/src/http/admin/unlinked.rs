//! `/admin/v1/directories/{id}/unlinked`

use super::super::admin_request::AdminRequest;
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::shape::{Page, limit, ok};
use crate::runtime::directories;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct User {
    id: String,
    user_name: String,
    reason: directories::UnlinkedReason,
    /// The customer from which an administrator has unlinked it.
    customer_id: Option<String>,
}

pub(super) async fn list(request: AdminRequest<'_>) -> Result<Reply, Fault> {
    let [cursor, limit_text] = request.query(["cursor", "limit"])?;
    let (id, limit) = (request.parameter(0), limit(limit_text)?);
    let page = request.state.site.unlinked(id, cursor.as_deref(), limit).await??;
    Ok(ok(&Page { values: page.values.into_iter().map(shown).collect::<Vec<_>>(), next: page.next }))
}

fn shown(user: directories::UnlinkedUser) -> User {
    User { id: user.id, user_name: user.user_name, reason: user.reason, customer_id: user.customer }
}
