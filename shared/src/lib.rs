//! What every function stands on. A route imports `shared::prelude::*` and declares itself; see `docs/adding-a-route.md`.

pub mod ai;
pub mod audience;
pub mod aws;
pub mod botconversa;
pub mod calendar;
pub mod clock;
pub mod closed_set;
pub mod company_secrets;
pub mod context;
pub mod crypto;
pub mod cursor;
mod database;
pub mod document;
pub mod email;
pub mod environment;
pub mod error;
pub mod events;
pub mod evolution;
pub mod files;
pub mod http;
pub mod identity;
pub mod jobs;
pub mod limits;
pub mod links;
pub mod log;
pub mod mail;
pub mod money;
mod needs;
pub mod notifications;
pub mod outside;
pub mod percent;
pub mod phone;
mod postgres;
pub mod progress;
pub mod provider;
pub mod rate;
pub mod realtime;
mod serve;
pub mod settings;
pub mod text;
pub mod token;
pub mod whatsapp;

pub use database::{Enter, Parameter, TimeList, Transaction};
pub use http::{
    describe, fitting,
    validation::{each_file_once, has_twice, known_zone, one_emoji, read_field, rule, time_to_come, visible},
};
pub use needs::{Privilege, Uses};
pub use postgres::{Row, intern};
pub use serve::{
    Claimed, ConnectRequest, Outcome, called_by_name, serve, serve_action, serve_action_using, serve_connect, serve_disconnect,
    serve_messages, serve_schedule, serve_worker,
};
pub use text::VISIBLE;

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
    pub use serde_json::{Map, Value, json};
    pub use uuid::Uuid;

    pub use crate::{
        Claimed, Outcome, Privilege, TimeList, Transaction, Uses,
        audience::Audience,
        context::Context,
        email::Email,
        error::{Error, OnConstraint, Problem},
        event,
        events::{Event, EventPayload, Topic},
        http::{
            Accepted, CommaSeparated, Created, FileBody, IdempotencyKey, IfMatch, Json, List, Made, NoContent, NumberedPage,
            Order, Page, Pagination, Path, Query, RawBody, Redirect, Route, Text, Unread, Versioned,
            access::{
                Admin, Anyone, Either, Member, SettingUp, SignedByAddress, SignedByHeader, SignedByMeta, SignedBySecret, Staff,
                SteppedUp, Student, Supervisor,
            },
        },
        identity::{Identity, Locale, Role},
        jobs::{Job, Queue},
        reads, serve, serve_action, serve_action_using, serve_schedule, serve_worker,
    };
}
