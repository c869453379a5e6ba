//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/deliver_notification.rs"]
mod deliver_notification;
#[path = "bin/get_notification_preferences.rs"]
mod get_notification_preferences;
#[path = "bin/get_web_push.rs"]
mod get_web_push;
#[path = "bin/list_notifications.rs"]
mod list_notifications;
#[path = "bin/mark_all_notifications_read.rs"]
mod mark_all_notifications_read;
#[path = "bin/mark_notification_read.rs"]
mod mark_notification_read;
#[path = "bin/save_notification_preferences.rs"]
mod save_notification_preferences;
#[path = "bin/subscribe_web_push.rs"]
mod subscribe_web_push;
#[path = "bin/test_web_push.rs"]
mod test_web_push;
#[path = "bin/unsubscribe_web_push.rs"]
mod unsubscribe_web_push;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("deliver_notification", deliver_notification::main),
        ("get_notification_preferences", get_notification_preferences::main),
        ("get_web_push", get_web_push::main),
        ("list_notifications", list_notifications::main),
        ("mark_all_notifications_read", mark_all_notifications_read::main),
        ("mark_notification_read", mark_notification_read::main),
        ("save_notification_preferences", save_notification_preferences::main),
        ("subscribe_web_push", subscribe_web_push::main),
        ("test_web_push", test_web_push::main),
        ("unsubscribe_web_push", unsubscribe_web_push::main),
    ]);
}
