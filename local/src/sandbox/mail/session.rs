//! One SMTP session.

use std::io;

use jiff::Timestamp;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
};

use super::{Mail, parts};

const LARGEST_MAIL: usize = 10 * 1024 * 1024;
/// Bytes of a line of commands or of a mail; the standard asks for 1000 at least.
const LONGEST_LINE: u64 = 64 * 1024;

struct Session {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    from: Option<String>,
    to: Vec<String>,
}

pub(super) async fn serve(stream: TcpStream, keep: impl Fn(Mail)) -> io::Result<()> {
    let (reader, writer) = stream.into_split();
    let reader = BufReader::new(reader);
    let mut session = Session { reader, writer, from: None, to: Vec::new() };
    session.say("220 localhost ESMTP").await?;
    while let Some(line) = session.line().await? {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                let size = format!("250-SIZE {LARGEST_MAIL}");
                for reply in ["250-localhost", "250-8BITMIME", "250-SMTPUTF8", &size] {
                    session.say(reply).await?;
                }
                session.say("250 AUTH PLAIN LOGIN").await?;
            }
            "HELO" | "NOOP" => session.say("250 OK").await?,
            "AUTH" => session.authenticate(rest).await?,
            "MAIL" => session.mail(rest).await?,
            "RCPT" => session.recipient(rest).await?,
            "DATA" => {
                if let Some(mail) = session.data().await? {
                    keep(mail);
                    session.say("250 OK: kept").await?;
                }
            }
            "RSET" => {
                session.start_over();
                session.say("250 OK").await?;
            }
            "QUIT" => return session.say("221 Bye").await,
            // A web page can have its browser send these, with a mail after them.
            "GET" | "HEAD" | "OPTIONS" | "POST" | "PUT" => return session.say("221 This is no web server").await,
            "STARTTLS" => session.say("454 TLS not available").await?,
            _ => session.say("502 Command not implemented").await?,
        }
    }
    Ok(())
}

impl Session {
    async fn say(&mut self, reply: &str) -> io::Result<()> {
        self.writer.write_all(format!("{reply}\r\n").as_bytes()).await
    }

    /// `None` at the end of the stream.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        (&mut self.reader).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
        Ok((!line.is_empty()).then_some(line))
    }

    fn start_over(&mut self) {
        self.from = None;
        self.to.clear();
    }

    /// Any name and password are right.
    async fn authenticate(&mut self, rest: &str) -> io::Result<()> {
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let challenges: &[&str] = match (mechanism.to_ascii_uppercase().as_str(), initial) {
            ("PLAIN", "") => &["334 "],
            ("PLAIN", _) => &[],
            ("LOGIN", "") => &["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"],
            ("LOGIN", _) => &["334 UGFzc3dvcmQ6"],
            _ => return self.say("504 Unrecognized authentication type").await,
        };
        for challenge in challenges {
            self.say(challenge).await?;
            self.line().await?;
        }
        self.say("235 Authentication succeeded").await
    }

    async fn mail(&mut self, rest: &str) -> io::Result<()> {
        let Some(address) = address_after("FROM:", rest) else {
            return self.say("501 Syntax: MAIL FROM:<address>").await;
        };
        if self.from.is_some() {
            return self.say("503 Nested MAIL command").await;
        }
        self.from = Some(address);
        self.say("250 OK").await
    }

    async fn recipient(&mut self, rest: &str) -> io::Result<()> {
        if self.from.is_none() {
            return self.say("503 Need MAIL before RCPT").await;
        }
        match address_after("TO:", rest) {
            Some(address) if !address.is_empty() => {
                self.to.push(address);
                self.say("250 OK").await
            }
            _ => self.say("501 Syntax: RCPT TO:<address>").await,
        }
    }

    /// `None` when there is no mail to keep; that was then answered.
    async fn data(&mut self) -> io::Result<Option<Mail>> {
        if self.to.is_empty() {
            self.say("503 Need RCPT before DATA").await?;
            return Ok(None);
        }
        self.say("354 End with <CR><LF>.<CR><LF>").await?;
        let mut raw = Vec::new();
        let mut too_large = false;
        loop {
            let Some(line) = self.line().await? else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            if line == b".\r\n" || line == b".\n" {
                break;
            }
            too_large |= raw.len() + line.len() > LARGEST_MAIL;
            if !too_large {
                raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            }
        }
        let from = self.from.take().unwrap_or_default();
        let to = std::mem::take(&mut self.to);
        if too_large {
            self.say("552 Message exceeds fixed maximum message size").await?;
            return Ok(None);
        }
        let read = parts::read(&raw);
        Ok(Some(Mail {
            at: Timestamp::now(),
            from,
            to,
            subject: read.subject,
            text: read.text,
            html: read.html,
            raw: String::from_utf8_lossy(&raw).into_owned(),
        }))
    }
}

/// The address in `FROM:<a@b> SIZE=1`.
fn address_after(prefix: &str, rest: &str) -> Option<String> {
    let given = rest.split_at_checked(prefix.len())?;
    if !given.0.eq_ignore_ascii_case(prefix) {
        return None;
    }
    let inside = given.1.trim_start().strip_prefix('<')?;
    inside.split_once('>').map(|(address, _)| address.to_owned())
}
