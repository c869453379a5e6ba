//! AWS clients, made when first used. Region, credentials and endpoints come from the environment without the SDK's configuration chain,
//! which would cost every cold start.

use std::sync::{Once, OnceLock};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region, sdk_config::SharedHttpClient};
use std::time::Duration;

use crate::environment::{optional_variable, variable};

/// The roots of Amazon Trust Services, under which AWS's own endpoints are certified. Reading the system's some 150 roots instead
/// would take up to half of a cold start.
const ROOTS: &[u8] = include_bytes!("amazon_roots.pem");

/// The clients of one process.
pub struct Aws {
    http: OnceLock<SharedHttpClient>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    connections: OnceLock<aws_sdk_apigatewaymanagement::Client>,
    queues: OnceLock<aws_sdk_sqs::Client>,
    files: OnceLock<aws_sdk_s3::Client>,
    region: String,
    credentials: Credentials,
}

impl Aws {
    /// Reads the environment Lambda gives to every function.
    #[must_use]
    pub fn from_environment() -> Self {
        Self {
            http: OnceLock::new(),
            dynamodb: OnceLock::new(),
            connections: OnceLock::new(),
            queues: OnceLock::new(),
            files: OnceLock::new(),
            region: variable("AWS_REGION"),
            credentials: Credentials::new(
                variable("AWS_ACCESS_KEY_ID"),
                variable("AWS_SECRET_ACCESS_KEY"),
                optional_variable("AWS_SESSION_TOKEN"),
                None,
                "environment",
            ),
        }
    }

    /// Connections of sockets, tickets and counters.
    pub fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.dynamodb.get_or_init(|| aws_sdk_dynamodb::Client::new(&self.config("DYNAMODB", None)))
    }

    /// Posts frames to open sockets.
    pub fn connections(&self) -> &aws_sdk_apigatewaymanagement::Client {
        self.connections.get_or_init(|| {
            let endpoint = optional_variable("WEBSOCKET_MANAGEMENT_URL");
            aws_sdk_apigatewaymanagement::Client::new(&self.config("APIGATEWAYMANAGEMENTAPI", endpoint))
        })
    }

    pub fn queues(&self) -> &aws_sdk_sqs::Client {
        self.queues.get_or_init(|| aws_sdk_sqs::Client::new(&self.config("SQS", None)))
    }

    /// The bucket of files. Path-style addresses where an endpoint is given.
    pub fn files(&self) -> &aws_sdk_s3::Client {
        self.files.get_or_init(|| {
            let builder = aws_sdk_s3::config::Builder::from(&self.config("S3", None));
            aws_sdk_s3::Client::from_conf(builder.force_path_style(endpoint_of("S3").is_some()).build())
        })
    }

    /// Reads one parameter, decrypted.
    ///
    /// # Errors
    /// A text for the log.
    pub async fn parameter(&self, name: &str) -> Result<String, String> {
        let client = aws_sdk_ssm::Client::new(&self.config("SSM", None));
        let answer = client.get_parameter().name(name).with_decryption(true).send().await;
        // Not the error as a whole, which holds the answer.
        let parameter = answer.map_err(|error| format!("reading the parameter {name}: {}", reasons(&error)))?.parameter;
        parameter.and_then(|parameter| parameter.value).ok_or_else(|| format!("the parameter {name} has no value"))
    }

    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    fn config(&self, service: &str, endpoint: Option<String>) -> SdkConfig {
        let http = self.http.get_or_init(|| {
            install_tls();
            let roots = TrustStore::empty().with_pem_certificate(ROOTS);
            let context = TlsContext::builder().with_trust_store(roots).build().expect("the roots are valid");
            let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
            SharedHttpClient::new(builder.tls_context(context).build_https())
        });
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(Duration::from_secs(4))
            .build();
        let mut config = SdkConfig::builder()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(self.credentials.clone()))
            .http_client(http.clone())
            .sleep_impl(aws_smithy_async::rt::sleep::SharedAsyncSleep::new(TokioSleep::new()))
            .time_source(aws_smithy_async::time::SystemTimeSource::new())
            .retry_config(RetryConfig::standard())
            .timeout_config(timeouts);
        config.set_endpoint_url(endpoint_of(service).or(endpoint));
        config.build()
    }
}

/// What an error and those below it say.
fn reasons(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The service's own endpoint, when the environment gives one.
#[must_use]
pub fn endpoint_of(service: &str) -> Option<String> {
    optional_variable(&format!("AWS_ENDPOINT_URL_{service}"))
}

/// Makes ring the one cryptography of TLS in this process.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
