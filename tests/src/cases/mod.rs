//! The tests by domain.

mod desk;

use crate::Case;

/// Lists the async functions of a module as cases named `module::function`.
macro_rules! cases {
    ($($module:ident :: { $($case:ident),* $(,)? };)*) => {
        vec![$($((
            concat!(stringify!($module), "::", stringify!($case)),
            (|stack| Box::pin($module::$case(stack))) as Case,
        )),*),*]
    };
}
use cases;

mod canary;
mod contract;
mod identity;
mod integrations;
mod snapshot;
mod team;
mod upload;

/// Tests that run at the same time, each in a company of its own.
pub fn together() -> Vec<(&'static str, Case)> {
    [desk::together(), contract::cases(), identity::cases(), integrations::cases(), team::cases()].concat()
}

/// Tests that stop something everybody uses; they run one after the other, at the end.
pub fn alone() -> Vec<(&'static str, Case)> {
    Vec::new()
}

pub fn all() -> Vec<(&'static str, Case)> {
    together().into_iter().chain(alone()).collect()
}
