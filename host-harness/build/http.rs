//! Composing the engine's component with the adapter of `guest/http`.

use std::error::Error;

use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions};

/// Has the adapter answer with the engine. The composed component exports what both export, and imports the rest of what
/// both import.
pub(crate) fn compose(engine: Vec<u8>, adapter: Vec<u8>) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut graph = CompositionGraph::new();
    let [engine, adapter] = [("usher", engine), ("usher-http", adapter)].map(|(name, component)| {
        let package = Package::from_bytes(name, None, component, graph.types_mut())?;
        Ok::<_, Box<dyn Error>>(graph.register_package(package)?)
    });
    let (engine, adapter) = (engine?, adapter?);

    let inner = graph.instantiate(engine);
    let outer = graph.instantiate(adapter);
    for (instance, package) in [(inner, engine), (outer, adapter)] {
        let names: Vec<String> = graph.types()[graph[package].ty()].exports.keys().cloned().collect();
        for name in names {
            let export = graph.alias_instance_export(instance, &name)?;
            if instance == inner && graph.types()[graph[adapter].ty()].imports.contains_key(&name) {
                graph.set_instantiation_argument(outer, &name, export)?;
            }
            graph.export(export, name)?;
        }
    }
    Ok(graph.encode(EncodeOptions::default())?)
}
