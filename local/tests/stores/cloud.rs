//! What the tests share: temporary folders, listeners, settings of the SDKs.

use std::path::{Path, PathBuf};

use aws_credential_types::Credentials;
use aws_smithy_http_client::Builder;
use tokio::net::TcpListener;
use uuid::Uuid;

pub const ACCESS_KEY: &str = "local";
pub const SECRET_KEY: &str = "local-secret";

/// A folder that goes away with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("balcao-test-{}", Uuid::new_v4().simple()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A listener on a free port, and its URL.
pub async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// The settings of an SDK client for the local cloud.
macro_rules! client {
    ($sdk:ident, $url:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .region($sdk::config::Region::new("us-east-1"))
                .endpoint_url($url)
                .credentials_provider($crate::cloud::credentials())
                .http_client($crate::cloud::http_client())
                .retry_config($sdk::config::retry::RetryConfig::disabled())
                .build(),
        )
    };
}
pub(crate) use client;

pub fn credentials() -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "tests")
}

pub fn http_client() -> aws_sdk_sqs::config::SharedHttpClient {
    Builder::new().build_http()
}
