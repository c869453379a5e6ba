//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/add_channel_member.rs"]
mod add_channel_member;
#[path = "bin/archive_channel.rs"]
mod archive_channel;
#[path = "bin/create_channel.rs"]
mod create_channel;
#[path = "bin/get_channel.rs"]
mod get_channel;
#[path = "bin/join_channel.rs"]
mod join_channel;
#[path = "bin/leave_channel.rs"]
mod leave_channel;
#[path = "bin/list_channel_members.rs"]
mod list_channel_members;
#[path = "bin/list_channels.rs"]
mod list_channels;
#[path = "bin/mark_channel_read.rs"]
mod mark_channel_read;
#[path = "bin/open_direct_message.rs"]
mod open_direct_message;
#[path = "bin/remove_channel_member.rs"]
mod remove_channel_member;
#[path = "bin/save_channel_draft.rs"]
mod save_channel_draft;
#[path = "bin/save_channel_preferences.rs"]
mod save_channel_preferences;
#[path = "bin/update_channel.rs"]
mod update_channel;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("add_channel_member", add_channel_member::main),
        ("archive_channel", archive_channel::main),
        ("create_channel", create_channel::main),
        ("get_channel", get_channel::main),
        ("join_channel", join_channel::main),
        ("leave_channel", leave_channel::main),
        ("list_channel_members", list_channel_members::main),
        ("list_channels", list_channels::main),
        ("mark_channel_read", mark_channel_read::main),
        ("open_direct_message", open_direct_message::main),
        ("remove_channel_member", remove_channel_member::main),
        ("save_channel_draft", save_channel_draft::main),
        ("save_channel_preferences", save_channel_preferences::main),
        ("update_channel", update_channel::main),
    ]);
}
