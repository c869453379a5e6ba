//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/delete_bot_flow.rs"]
mod delete_bot_flow;
#[path = "bin/get_bot_analytics.rs"]
mod get_bot_analytics;
#[path = "bin/get_bot_config.rs"]
mod get_bot_config;
#[path = "bin/get_bot_flow.rs"]
mod get_bot_flow;
#[path = "bin/list_bot_flow_versions.rs"]
mod list_bot_flow_versions;
#[path = "bin/list_bot_flows.rs"]
mod list_bot_flows;
#[path = "bin/list_bot_templates.rs"]
mod list_bot_templates;
#[path = "bin/publish_bot_flow.rs"]
mod publish_bot_flow;
#[path = "bin/renew_bot_secret.rs"]
mod renew_bot_secret;
#[path = "bin/run_bot_turn.rs"]
mod run_bot_turn;
#[path = "bin/save_bot_config.rs"]
mod save_bot_config;
#[path = "bin/save_bot_flow.rs"]
mod save_bot_flow;
#[path = "bin/simulate_bot.rs"]
mod simulate_bot;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("delete_bot_flow", delete_bot_flow::main),
        ("get_bot_analytics", get_bot_analytics::main),
        ("get_bot_config", get_bot_config::main),
        ("get_bot_flow", get_bot_flow::main),
        ("list_bot_flow_versions", list_bot_flow_versions::main),
        ("list_bot_flows", list_bot_flows::main),
        ("list_bot_templates", list_bot_templates::main),
        ("publish_bot_flow", publish_bot_flow::main),
        ("renew_bot_secret", renew_bot_secret::main),
        ("run_bot_turn", run_bot_turn::main),
        ("save_bot_config", save_bot_config::main),
        ("save_bot_flow", save_bot_flow::main),
        ("simulate_bot", simulate_bot::main),
    ]);
}
