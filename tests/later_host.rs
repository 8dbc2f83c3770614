//! A guest of version 0.2.0 runs on a host that knows 0.2.1: the component as it is built, on the host in `plain`.

use std::sync::Arc;

use usher_host::EMBEDDED;
use usher_host::storage::{MemoryStorage, Storage};
use usher_tests::plain::{self, ProvisionerPre, scim};
use wasmtime::Engine;
use wasmtime::component::Component;

#[test]
fn a_guest_of_0_2_0_runs_on_a_host_of_0_2_1() {
    plain::block_on(async {
        let linked = plain::link(EMBEDDED)?;
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let connected = plain::connect(&linked, &storage).await?;

        let mut store = plain::store(linked.engine(), &storage);
        let component = ProvisionerPre::new(linked)?.instantiate_async(&mut store).await?;
        let request = scim::Request {
            method: "POST".to_owned(),
            origin: "https://usher.test".to_owned(),
            path: format!("{}/Users", connected.directory.scim_path),
            query: None,
            headers: vec![
                ("authorization".to_owned(), format!("Bearer {}", connected.key.api_key)),
                ("content-type".to_owned(), "application/scim+json".to_owned()),
            ],
            body: Some(
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}"#.to_owned(),
            ),
        };
        let response = component.usher_provisioning_scim().call_handle(&mut store, &request).await?;
        assert_eq!(response.status, 201, "{:?}", response.body);
        Ok::<_, wasmtime::Error>(())
    })
    .expect("the host can link the guest and call it");
}

#[test]
fn exports_are_found_under_any_version_that_is_compatible() {
    let component = Component::new(&Engine::default(), EMBEDDED).expect("it is a component");
    let exports = |version: &str| {
        let interface = component.get_export_index(None, format!("usher:provisioning/scim@{version}").as_str());
        interface.is_some_and(|interface| component.get_export_index(Some(&interface), "handle").is_some())
    };
    assert!(exports("0.2.0"));
    assert!(exports("0.2.1"));
    assert!(!exports("0.3.0"), "0.3.0 is another contract");
}
