//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/get_web_push.rs"]
mod get_web_push;
#[path = "bin/subscribe_web_push.rs"]
mod subscribe_web_push;
#[path = "bin/test_web_push.rs"]
mod test_web_push;
#[path = "bin/unsubscribe_web_push.rs"]
mod unsubscribe_web_push;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("get_web_push", get_web_push::main),
        ("subscribe_web_push", subscribe_web_push::main),
        ("test_web_push", test_web_push::main),
        ("unsubscribe_web_push", unsubscribe_web_push::main),
    ]);
}
