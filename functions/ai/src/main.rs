//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/ai_compose_message.rs"]
mod ai_compose_message;
#[path = "bin/ai_learn.rs"]
mod ai_learn;
#[path = "bin/ai_respond.rs"]
mod ai_respond;
#[path = "bin/ai_suggest_replies.rs"]
mod ai_suggest_replies;
#[path = "bin/ai_transcribe.rs"]
mod ai_transcribe;
#[path = "bin/analyze_sentiment.rs"]
mod analyze_sentiment;
#[path = "bin/categorize_conversation.rs"]
mod categorize_conversation;
#[path = "bin/get_ai_usage.rs"]
mod get_ai_usage;
#[path = "bin/list_insights.rs"]
mod list_insights;
#[path = "bin/rate_ai_run.rs"]
mod rate_ai_run;
#[path = "bin/run_ai_task.rs"]
mod run_ai_task;
#[path = "bin/summarize_conversation.rs"]
mod summarize_conversation;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("ai_compose_message", ai_compose_message::main),
        ("ai_learn", ai_learn::main),
        ("ai_respond", ai_respond::main),
        ("ai_suggest_replies", ai_suggest_replies::main),
        ("ai_transcribe", ai_transcribe::main),
        ("analyze_sentiment", analyze_sentiment::main),
        ("categorize_conversation", categorize_conversation::main),
        ("get_ai_usage", get_ai_usage::main),
        ("list_insights", list_insights::main),
        ("rate_ai_run", rate_ai_run::main),
        ("run_ai_task", run_ai_task::main),
        ("summarize_conversation", summarize_conversation::main),
    ]);
}
