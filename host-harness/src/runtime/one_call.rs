//! The component as it is compiled for this host, where an instance makes one call and is thrown away.

use std::convert::Infallible;
use wasm_encoder::reencode::{Error, Reencode, ReencodeComponent, component_utils};
use wasm_encoder::{CanonicalFunctionSection, Component, ComponentSectionId, RawSection};
use wasmparser::{CanonicalFunction, CanonicalOption, Parser};

/// The component without the functions that give a result's memory back (`post-return` of the canonical ABI). Whoever
/// keeps an instance needs them; here its memory goes with it. Each exported function has one of its own, and every
/// instance that is made looks all of them up: a sixth of what reading a user took.
///
/// # Errors
/// Where the bytes are no component.
pub(super) fn without_post_return(component: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let mut kept = Component::new();
    Reencoder.parse_component(&mut kept, Parser::new(0), component)?;
    Ok(kept.finish())
}

struct Reencoder;

impl Reencode for Reencoder {
    type Error = Infallible;
}

impl ReencodeComponent for Reencoder {
    fn parse_component_canonical(
        &mut self,
        section: &mut CanonicalFunctionSection,
        function: CanonicalFunction,
    ) -> Result<(), Error<Infallible>> {
        let function = match function {
            CanonicalFunction::Lift { core_func_index, type_index, options } => CanonicalFunction::Lift {
                core_func_index,
                type_index,
                options: options
                    .into_iter()
                    .filter(|option| !matches!(option, CanonicalOption::PostReturn(_)))
                    .collect(),
            },
            other => other,
        };
        component_utils::parse_component_canonical(self, section, function)
    }

    /// As it is: nothing in a core module is changed, and it is by far the largest part.
    fn parse_component_submodule(
        &mut self,
        component: &mut Component,
        _parser: Parser,
        module: &[u8],
    ) -> Result<(), Error<Infallible>> {
        component.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data: module });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EMBEDDED;
    use wasmparser::Payload;

    /// How many functions are lifted, with how many options in all, and with how many that give memory back.
    fn lifted(component: &[u8]) -> (usize, usize, usize) {
        let (mut functions, mut all, mut post_returns) = (0, 0, 0);
        for payload in Parser::new(0).parse_all(component) {
            if let Payload::ComponentCanonicalSection(section) = payload.expect("a component") {
                for function in section {
                    if let CanonicalFunction::Lift { options, .. } = function.expect("a function") {
                        functions += 1;
                        all += options.len();
                        post_returns +=
                            options.iter().filter(|option| matches!(option, CanonicalOption::PostReturn(_))).count();
                    }
                }
            }
        }
        (functions, all, post_returns)
    }

    #[test]
    fn nothing_but_giving_memory_back_is_left_out() {
        let (functions, options, post_returns) = lifted(EMBEDDED);
        assert!(post_returns > 0);
        let one_call = without_post_return(EMBEDDED).expect("a component");
        assert_eq!(lifted(&one_call), (functions, options - post_returns, 0));
        assert!(without_post_return(b"no component").is_err());
    }
}
