use std::time::Duration;

use futures_util::SinkExt as _;
use http::Method;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{
        CloseFrame,
        frame::{
            Frame,
            coding::{CloseCode, Data, OpCode},
        },
    },
};

use crate::{
    support::{LONG, Stack, eventually, options},
    websocket_api::{calls, close_code, manage, opened, received_json},
};

#[tokio::test(flavor = "multi_thread")]
async fn limits_close_the_connection() {
    let stack = Stack::start().await;
    let frame = |opcode, size: usize, last| Message::Frame(Frame::message(vec![b'x'; size], OpCode::Data(opcode), last));

    let (mut socket, _) = opened(&stack).await;
    socket.send(frame(Data::Text, 33 * 1024, true)).await.expect("sent");
    assert_eq!(close_code(&mut socket).await, 1009, "a frame over 32 KB");

    let (mut socket, _) = opened(&stack).await;
    for part in 0..5 {
        let opcode = if part == 0 { Data::Text } else { Data::Continue };
        let size = if part == 4 { 1 } else { 32 * 1024 };
        socket.send(frame(opcode, size, part == 4)).await.expect("sent");
    }
    assert_eq!(close_code(&mut socket).await, 1009, "a message over 128 KB");

    let (mut socket, _) = opened(&stack).await;
    for part in 0..4 {
        let opcode = if part == 0 { Data::Text } else { Data::Continue };
        socket.send(frame(opcode, 32 * 1024, part == 3)).await.expect("sent");
    }
    assert_eq!(received_json(&mut socket).await["message"], "Forbidden", "exactly 128 KB are taken");

    let (mut socket, _) = opened(&stack).await;
    socket.send(Message::binary(vec![1_u8, 2])).await.expect("sent");
    assert_eq!(close_code(&mut socket).await, 1003);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_and_old_connections_are_closed() {
    for (idle, limit) in [(Duration::from_millis(300), LONG), (LONG, Duration::from_millis(300))] {
        let mut options = options();
        options.websocket.idle = idle;
        options.websocket.limit = limit;
        let stack = Stack::with(options).await;
        let (mut socket, id) = opened(&stack).await;
        assert_eq!(close_code(&mut socket).await, 1001);
        assert_eq!(manage(&stack, Method::POST, &id, "x").await.status(), 410);
        stack.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnect_says_how_the_client_went() {
    let stack = Stack::start().await;
    let log = stack.directory.join("logs/Disconnect.log");
    let (mut socket, _) = opened(&stack).await;
    socket.close(Some(CloseFrame { code: CloseCode::Away, reason: "".into() })).await.expect("closed");
    eventually("$disconnect is called", || calls(&stack, "$disconnect").len() == 1).await;
    let (socket, id) = opened(&stack).await;
    drop(socket);
    eventually("$disconnect is called", || calls(&stack, "$disconnect").len() == 2).await;
    assert_eq!(manage(&stack, Method::POST, &id, "x").await.status(), 410);
    eventually("the function got both events", || {
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        log.contains(r#""disconnectStatusCode":1001"#)
            && log.contains(r#""disconnectReason":"Going away""#)
            && log.contains(r#""disconnectStatusCode":1006"#)
    })
    .await;
    stack.stop().await;
}
