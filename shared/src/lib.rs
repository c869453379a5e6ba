//! What every function stands on. A route imports `shared::prelude::*` and declares itself; see `docs/adding-a-route.md`.

pub mod access;
pub mod audience;
pub mod aws;
pub mod clock;
pub mod context;
pub mod crypto;
pub mod cursor;
mod database;
#[cfg_attr(not(debug_assertions), expect(dead_code, reason = "only debug builds describe themselves"))]
pub mod describe;
pub mod email;
pub mod error;
pub mod events;
pub mod files;
pub mod http;
pub mod jobs;
pub mod limits;
pub mod log;
pub mod phone;
pub mod realtime;
mod serve;
pub mod settings;
pub mod text;
pub mod token;
pub mod whatsapp;

pub use database::{Enter, Parameter, Row, Transaction, intern};
pub use http::validation::{rule, visible};
pub use serve::{
    Claimed, ConnectRequest, Outcome, Uses, called_by_name, serve, serve_action, serve_action_using, serve_connect,
    serve_disconnect, serve_messages, serve_schedule, serve_worker,
};

/// Parameters of a deferred statement, by value.
#[macro_export]
macro_rules! parameters {
    ($($value:expr),* $(,)?) => {
        vec![$(Box::new($value) as $crate::Parameter),*]
    };
}

/// What nearly every function needs.
pub mod prelude {
    pub use garde::Validate;
    pub use jiff::Timestamp;
    pub use postgres_from_row::FromRow;
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};
    pub use serde_json::{Value, json};
    pub use uuid::Uuid;

    pub use crate::{
        Claimed, Outcome, Transaction, Uses,
        access::{Admin, Anyone, Identity, Member, Role, SignedByMeta, Staff, Student, Supervisor},
        audience::Audience,
        context::Context,
        email::Email,
        error::{Error, OnConstraint, Problem},
        event,
        events::{Event, EventPayload, Topic},
        http::{
            Accepted, CommaSeparated, Created, IdempotencyKey, IfMatch, Json, NoContent, NumberedPage, Page, Pagination, Path,
            Privilege, Query, RawBody, Redirect, Route, Text,
        },
        jobs::{Job, Queue},
        reads, serve, serve_action, serve_action_using, serve_schedule, serve_worker,
    };
}
