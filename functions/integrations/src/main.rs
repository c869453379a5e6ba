//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/get_integration_usage.rs"]
mod get_integration_usage;
#[path = "bin/get_message_costs.rs"]
mod get_message_costs;
#[path = "bin/get_prices.rs"]
mod get_prices;
#[path = "bin/list_integration_calls.rs"]
mod list_integration_calls;
#[path = "bin/list_integrations.rs"]
mod list_integrations;
#[path = "bin/save_integration.rs"]
mod save_integration;
#[path = "bin/save_prices.rs"]
mod save_prices;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("get_integration_usage", get_integration_usage::main),
        ("get_message_costs", get_message_costs::main),
        ("get_prices", get_prices::main),
        ("list_integration_calls", list_integration_calls::main),
        ("list_integrations", list_integrations::main),
        ("save_integration", save_integration::main),
        ("save_prices", save_prices::main),
    ]);
}
