//! The least a function with a database can be: one connection, made before the first event, and one query.

use std::sync::Arc;

use lambda_http::{Body, Error, Request, Response, run, service_fn};
use tokio_postgres::{Client, NoTls};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::var("DATABASE_URL")?;
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    let client = Arc::new(client);
    run(service_fn(move |_: Request| hello(Arc::clone(&client)))).await
}

async fn hello(client: Arc<Client>) -> Result<Response<Body>, Error> {
    let row = client.query_one("select 'hello'", &[]).await?;
    Ok(Response::new(Body::Text(row.get(0))))
}
