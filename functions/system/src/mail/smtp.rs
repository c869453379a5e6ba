//! What is said to mail servers.

use std::{net::SocketAddr, time::Duration};

use lettre::{
    Message,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
        response::Response,
    },
};
use shared::{
    outside::{self, Refusal},
    settings::{MailSecurity, MailServer},
};
use tokio::{net::lookup_host, time::timeout};

/// How long a server may take to be reached.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long all of a dialogue may take.
const WHOLE_PATIENCE: Duration = Duration::from_secs(15);

/// How long a server is waited for that has nothing more to say.
const GOODBYE: Duration = Duration::from_secs(1);

/// Where a dialogue ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The server is nobody, or none that may be called.
    Address(Refusal),
    /// It was not reached, or said nothing in time.
    Connection,
    /// It cannot keep the dialogue from listeners, or is not who it says it is.
    Encryption,
    /// It does not know the name or the password.
    Login,
    /// It does not let this address send.
    Sender,
    /// It does not take the mail, or its recipient.
    Mail,
}

/// Why a server did not take a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub step: Step,
    /// What it said, its code first, or what went wrong before.
    pub said: String,
    /// Whether it will say the same of this mail whenever it is asked. Everything else may pass: it is busy or away, or its settings are
    /// mended.
    pub is_final: bool,
}

impl Failure {
    fn at(step: Step, error: &Error) -> Self {
        let step = if error.is_tls() { Step::Encryption } else { step };
        Self { step, said: error.to_string(), is_final: step == Step::Mail && error.is_permanent() }
    }

    fn passing(step: Step, said: impl Into<String>) -> Self {
        Self { step, said: said.into(), is_final: false }
    }
}

/// Hands a mail over and gives the server's last word.
///
/// # Errors
/// With what the server said, or that it said nothing.
pub async fn send(server: &MailServer, mail: Message) -> Result<String, Failure> {
    let (connection, reply) = in_time(async {
        let mut connection = log_in(server).await?;
        let reply = hand_over(&mut connection, &mail).await;
        Ok((connection, reply))
    })
    .await?;
    leave(connection).await;
    let reply = reply?;
    Ok(format!("{} {}", reply.code(), reply.message().collect::<Vec<_>>().join(" ")))
}

/// Finds out whether a server lets us in, and sends nothing.
///
/// # Errors
/// As `send`.
pub async fn check(server: &MailServer) -> Result<(), Failure> {
    let connection = in_time(log_in(server)).await?;
    leave(connection).await;
    Ok(())
}

/// Whatever comes of it: what was handed over is.
async fn leave(mut connection: AsyncSmtpConnection) {
    let _ = timeout(GOODBYE, connection.abort()).await;
}

/// Whether this is a certificate in PEM.
#[must_use]
pub fn is_certificate(pem: &str) -> bool {
    let parameters = |certificate| TlsParameters::builder("localhost".to_owned()).add_root_certificate(certificate).build();
    pem.contains("-----BEGIN CERTIFICATE-----") && Certificate::from_pem(pem.as_bytes()).and_then(parameters).is_ok()
}

async fn in_time<T>(dialogue: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let late = |_| Failure::passing(Step::Connection, "no answer in time");
    timeout(WHOLE_PATIENCE, dialogue).await.map_err(late)?
}

/// A server's greeting, encryption as it is set, and a login where it wants one.
async fn log_in(server: &MailServer) -> Result<AsyncSmtpConnection, Failure> {
    let addresses = addresses(server).await?;
    let parameters = || parameters(server).map_err(|error| Failure::at(Step::Encryption, &error));
    let (at_once, afterwards) = match server.security {
        MailSecurity::Tls => (Some(parameters()?), None),
        MailSecurity::StartTls => (None, Some(parameters()?)),
        MailSecurity::None => (None, None),
    };
    let name = ClientId::default();
    let mut connection = AsyncSmtpConnection::connect_tokio1(addresses.as_slice(), Some(PATIENCE), &name, at_once, None)
        .await
        .map_err(|error| Failure::at(Step::Connection, &error))?;
    if let Some(parameters) = afterwards {
        connection.starttls(parameters, &name).await.map_err(|error| Failure::at(Step::Encryption, &error))?;
    }
    if let Some(login) = &server.login {
        let credentials = Credentials::new(login.username.clone(), login.password.clone());
        connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(|error| Failure::at(Step::Login, &error))?;
    }
    Ok(connection)
}

/// Where it is: what people typed leads to public addresses only.
async fn addresses(server: &MailServer) -> Result<Vec<SocketAddr>, Failure> {
    if server.is_typed {
        let refused = |refusal: Refusal| Failure::passing(Step::Address(refusal), refusal.texts().1);
        return outside::addresses(&server.host, server.port).await.map_err(refused);
    }
    let unknown = |error: std::io::Error| Failure::passing(Step::Connection, error.to_string());
    Ok(lookup_host((server.host.as_str(), server.port)).await.map_err(unknown)?.collect())
}

/// The name on the certificate is the one that was typed, whatever address it stands for.
fn parameters(server: &MailServer) -> Result<TlsParameters, Error> {
    let builder = TlsParameters::builder(server.host.clone());
    match &server.authority {
        Some(authority) => builder.add_root_certificate(Certificate::from_pem(authority.as_bytes())?).build(),
        None => builder.build(),
    }
}

async fn hand_over(connection: &mut AsyncSmtpConnection, mail: &Message) -> Result<Response, Failure> {
    let (envelope, text) = (mail.envelope(), mail.formatted());
    let of_mail = |error: &Error| Failure::at(Step::Mail, error);
    let mut options = Vec::new();
    if !text.is_ascii() && connection.server_info().supports_feature(Extension::EightBitMime) {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let from = Mail::new(envelope.from().cloned(), options);
    connection.command(from).await.map_err(|error| Failure::at(Step::Sender, &error))?;
    for to in envelope.to() {
        connection.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(|error| of_mail(&error))?;
    }
    connection.command(Data).await.map_err(|error| of_mail(&error))?;
    connection.message(&text).await.map_err(|error| of_mail(&error))
}
