//! Where the services of the other modules are started.

use std::{path::PathBuf, sync::Arc};

use anyhow::Result;
use axum::Router;
use tokio::{net::TcpListener, task::JoinSet};

use super::Addresses;
use crate::{
    Invoke,
    journal::Journal,
    template::{BucketDefinition, ScheduleDefinition, TableDefinition, Template},
    websocket_api::WebSocketGateway,
};

/// Where data is kept.
pub(super) struct Place {
    pub directory: PathBuf,
    pub memory: bool,
}

/// The URLs of the database.
pub(super) struct Database {
    pub app_url: String,
    pub owner_url: String,
}

pub(super) async fn postgres(_place: &Place, _port: u16) -> Result<Option<Database>> {
    Ok(None)
}

pub(super) fn dynamodb(
    _tasks: &mut JoinSet<()>,
    _listener: TcpListener,
    _tables: &[TableDefinition],
    _place: &Place,
) -> Result<()> {
    Ok(())
}

pub(super) fn object_storage(
    _tasks: &mut JoinSet<()>,
    _listener: TcpListener,
    _buckets: &[BucketDefinition],
    _place: &Place,
) -> Result<()> {
    Ok(())
}

pub(super) fn queues(
    _tasks: &mut JoinSet<()>,
    _listener: TcpListener,
    _template: &Template,
    _place: &Place,
    _addresses: &Addresses,
    _invoke: Invoke,
) -> Result<()> {
    Ok(())
}

pub(super) fn schedules(
    _tasks: &mut JoinSet<()>,
    _definitions: Vec<ScheduleDefinition>,
    _invoke: Invoke,
) {
}

pub(super) fn sandbox(
    _tasks: &mut JoinSet<()>,
    _http: TcpListener,
    _smtp: TcpListener,
    _addresses: &Addresses,
    _place: &Place,
) -> Result<()> {
    Ok(())
}

pub(super) fn console(_journal: &Arc<Journal>, _sockets: Option<&Arc<WebSocketGateway>>) -> Router {
    Router::new()
}
