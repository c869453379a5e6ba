//! `make demo`: a client's conversation from the first message to the last, then one that is answered out of the knowledge base, then the first
//! client by other channels and in the team's own, and a sale, through the real functions, told as it happens: in the cloud that `make run` has started, or in one of its own. With
//! `--own`, as in `make test`, always in one of its own.

mod answers;
mod channels;
mod sales;
mod team;
mod timeline;

use std::{
    collections::BTreeMap,
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tests::{
    Socket, Stack, Wanted,
    company::{Person, text},
    desk::{PDF, text_message, voice_note},
    eventually,
    sandbox::Phone,
};

use timeline::Timeline;

/// Where `make run` keeps what runs.
const DIRECTORY: &str = ".local";
/// Where the demo's own cloud does; and that of `--own`, which is beside whatever else runs.
const OWN_DIRECTORY: &str = ".local/demo";
const SEPARATE_DIRECTORY: &str = ".local/tests/demo";
/// The password of everybody in the demo company.
const PASSWORD: &str = "balcao-demo-2026";

#[tokio::main]
async fn main() -> ExitCode {
    // A step that does not work panics deep inside: its words are all a viewer needs.
    std::panic::set_hook(Box::new(|panic| eprintln!("\n  ✗ {panic}")));
    let outcome = match tokio::spawn(run()).await {
        Ok(outcome) => outcome,
        Err(_) => Err(anyhow::anyhow!("a step did not work")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n  ✗ The demo stopped: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let is_separate = std::env::args().any(|argument| argument == "--own");
    let (stack, cast) = match if is_separate { None } else { running().await } {
        Some(stack) => {
            println!("\n  Playing in the cloud that runs at {}", stack.addresses.api);
            let cast = Cast::of_demo_company(&stack).await?;
            (stack, cast)
        }
        None => start(if is_separate { SEPARATE_DIRECTORY } else { OWN_DIRECTORY }).await?,
    };
    let stack = Arc::new(stack);
    let played = tokio::spawn(play(Arc::clone(&stack), cast)).await;
    if let Some(stack) = Arc::into_inner(stack) {
        stack.stop().await;
    }
    played.map_err(|_| anyhow::anyhow!("a step did not work"))?
}

async fn play(stack: Arc<Stack>, cast: Cast) -> Result<()> {
    let play = Play::new(cast);
    play.play().await?;
    answers::play(&stack, &play).await?;
    channels::play(&stack, &play).await?;
    team::play(&play).await?;
    sales::play(&play).await
}

/// The cloud that `make run` has started, if it answers.
async fn running() -> Option<Stack> {
    let stack = Stack::attach(Path::new(DIRECTORY)).ok()?;
    let asked = stack.http.get(format!("{}/health", stack.addresses.api)).timeout(Duration::from_secs(10));
    asked.send().await.is_ok().then_some(stack)
}

async fn start(directory: &str) -> Result<(Stack, Cast)> {
    let started = Instant::now();
    println!("\n  Starting a cloud that keeps nothing (Postgres, DynamoDB, S3, SQS and all functions) …");
    let binaries = std::env::current_exe()?.parent().context("this program has a folder")?.to_owned();
    let stack = Stack::start(Path::new(directory), &binaries, &[]).await?;
    let departments = vec![("Atendimento", vec![1, 2]), ("Financeiro", vec![2])];
    let company = stack.company(Wanted { students: 0, bot: true, departments, takeover_text: None, ..Wanted::default() }).await;
    println!("  Ready after {:.1} s.", started.elapsed().as_secs_f64());
    let mut agents = company.agents.into_iter();
    let (bruna, caio) = agents.next().zip(agents.next()).context("two agents")?;
    let finance = company.departments[1].1.to_string();
    let cast = Cast { helena: company.admin, bruna, caio, rafael: company.supervisor, phone: company.phone, finance };
    Ok((stack, cast))
}

/// Who plays.
struct Cast {
    /// The admin.
    helena: Person,
    /// An agent of Atendimento.
    bruna: Person,
    /// An agent of both departments, without a socket until the end.
    caio: Person,
    /// The supervisor.
    rafael: Person,
    phone: Phone,
    /// The department it is transferred to.
    finance: String,
}

impl Cast {
    async fn of_demo_company(stack: &Stack) -> Result<Self> {
        let sign_in = async |name: &str| Person::sign_in(stack, &format!("{name}@demo.example"), PASSWORD).await;
        let admin = sign_in("admin").await?;
        let channels = admin.api.get("/integrations/config").await.expect(200);
        let number = channels["data"].as_array().into_iter().flatten().find(|channel| channel["kind"] == "whatsapp_cloud");
        let number = text(&number.context("the demo company has no WhatsApp number")?["settings"]["phone_number_id"]).to_owned();
        let departments = admin.api.get("/departments").await.expect(200);
        let finance = departments["data"].as_array().into_iter().flatten().find(|department| department["name"] == "Financeiro");
        let finance = text(&finance.context("the demo company has no department Financeiro")?["id"]).to_owned();
        let (bruna, caio, rafael) = (sign_in("agente1").await?, sign_in("agente2").await?, sign_in("supervisor").await?);
        Ok(Self { helena: admin, bruna, caio, rafael, phone: Phone::new(stack, &number), finance })
    }
}

/// A mobile number nobody has had in an earlier run.
fn new_client() -> String {
    format!("55119{:08}", uuid::Uuid::new_v4().as_u128() % 100_000_000)
}

struct Play {
    cast: Cast,
    client: String,
    timeline: Timeline,
}

impl Play {
    fn new(cast: Cast) -> Self {
        let client = new_client();
        let timeline = Timeline::begin(&client);
        Self { cast, client, timeline }
    }

    async fn play(&self) -> Result<()> {
        let Cast { bruna, rafael, caio, finance, .. } = &self.cast;
        let head = caio.head().await;
        let mut socket = bruna.socket().await;
        let id = self.ask_for_a_human(&mut socket).await?;
        self.take_over(&id, &mut socket).await?;
        self.type_and_answer(&id, &mut socket).await?;
        self.send_files(&id, &mut socket).await?;

        let since = Instant::now();
        bruna.transfer(&id, json!({"to_department_id": finance, "reason": "segunda via do boleto"})).await;
        self.timeline.tell("Bruna", "transfers it to the department Financeiro, where it waits again", since);
        self.hear(&mut socket, &id, "conversation.transferred").await;
        self.timeline.tell("Bruna", "her socket is told; from now on it is out of her sight", since);
        let status = bruna.api.get(&format!("/conversations/{id}")).await.status;
        ensure!(status == 404, "Bruna still sees the conversation ({status})");

        let since = Instant::now();
        rafael.close(&id).await;
        self.timeline.tell("Rafael", "closes the conversation", since);
        self.catch_up(&id, &head).await
    }

    async fn hear(&self, socket: &mut Socket, id: &str, kind: &str) -> Value {
        socket.frame(kind, |frame| frame["type"] == kind && frame.to_string().contains(id)).await
    }

    /// What WhatsApp has accepted for this client, once there are so many.
    async fn reached(&self, count: usize) -> Vec<Value> {
        eventually("messages at WhatsApp", || async {
            let mut sent = self.cast.phone.sent().await;
            sent.retain(|sent| sent["to"] == self.client.as_str());
            (sent.len() >= count).then_some(sent)
        })
        .await
    }

    async fn ask_for_a_human(&self, socket: &mut Socket) -> Result<String> {
        let (phone, timeline) = (&self.cast.phone, &self.timeline);
        let since = Instant::now();
        let received = phone.receive(&self.client, json!({"text": "Oi, bom dia! 😀"})).await;
        ensure!(received["status"] == 200, "the webhook was answered with {received}");
        timeline.tell("Maria", "writes “Oi, bom dia! 😀”: the signed webhook is stored and answered 200", since);
        let menu = self.reached(1).await.remove(0);
        let options = menu["body"]["interactive"]["action"]["buttons"].as_array().map_or(0, Vec::len);
        timeline.tell("Bot", &format!("its menu with {options} buttons has reached WhatsApp"), since);

        let since = Instant::now();
        let tap = json!({"button_reply": {"id": "human", "title": "Falar com atendente"}});
        phone.receive(&self.client, tap).await;
        timeline.tell("Maria", "taps “Falar com atendente”", since);
        let client = self.client.as_str();
        let is_waiting = |frame: &Value| {
            let conversation = &frame["data"]["conversation"];
            conversation["client_phone"] == client && conversation["status"] == "pending"
        };
        let waiting = socket.frame("the conversation waiting", is_waiting).await;
        timeline.tell("Bruna", "her socket shows the conversation waiting", since);
        self.reached(2).await;
        timeline.tell("Bot", "“Um momento, já vou chamar alguém da equipe.”", since);
        Ok(text(&waiting["data"]["conversation"]["id"]).to_owned())
    }

    async fn take_over(&self, id: &str, socket: &mut Socket) -> Result<()> {
        let since = Instant::now();
        let taken = self.cast.bruna.take_over(id).await;
        let name = text(&taken["assignee_name"]);
        self.timeline.tell("Bruna", &format!("takes it over: {name} holds it, the bot is silent"), since);
        let told = self.reached(3).await.pop().unwrap_or_default();
        let words = text(&told["body"]["text"]["body"]).to_owned();
        ensure!(words.contains(name), "Maria is not told who goes on: {told}");
        self.timeline.tell("WhatsApp", &format!("Maria is told “{words}”"), since);
        let since = Instant::now();
        let refused = self.cast.caio.api.post(&format!("/conversations/{id}/takeover"), json!({})).await;
        let lost = refused.expect(409);
        ensure!(lost["current"]["assignee_id"] == taken["assignee_id"], "the refusal names another holder: {lost}");
        let holder = text(&lost["current"]["assignee_name"]);
        self.timeline.tell("Caio", &format!("tries too (from his phone, no socket): 409, {holder} has it"), since);
        socket.follow(id).await;
        Ok(())
    }

    async fn type_and_answer(&self, id: &str, socket: &mut Socket) -> Result<()> {
        let mut watching = self.cast.rafael.socket().await;
        watching.follow(id).await;
        let since = Instant::now();
        socket.send(json!({"action": "typing", "topic": format!("conversation:{id}"), "state": true})).await;
        watching.of_type("conversation.typing").await;
        self.timeline.tell("Bruna", "is typing …  (Rafael, who follows along, sees it)", since);
        watching.close().await;
        let words = "Bom dia, Maria! Sou a Bruna. Já envio a segunda via.";
        let since = Instant::now();
        let message = self.cast.bruna.api.post("/messages", text_message(id, words)).await.expect(201);
        self.timeline.tell("Bruna", &format!("answers “{words}”"), since);
        self.follow_to_read(socket, &message, since).await
    }

    async fn send_files(&self, id: &str, socket: &mut Socket) -> Result<()> {
        let files = [
            ("a voice note of 4 s", "recado.ogg", "audio/ogg", voice_note(4), json!({"kind": "audio", "voice": true})),
            ("a PDF", "segunda-via.pdf", "application/pdf", PDF.to_vec(), json!({"kind": "document", "body": "Vence dia 10"})),
        ];
        for (index, (what, name, mime_type, bytes, content)) in files.into_iter().enumerate() {
            let since = Instant::now();
            let file = self.cast.bruna.upload(name, mime_type, &bytes).await;
            self.timeline.tell("Bruna", &format!("uploads {what} straight to the bucket; its content is checked"), since);
            let mut message = json!({"conversation_id": id, "client_message_id": format!("{id}:{name}"), "file_id": file});
            if let (Some(fields), Value::Object(content)) = (message.as_object_mut(), content) {
                fields.extend(content);
            }
            let since = Instant::now();
            let message = self.cast.bruna.api.post("/messages", message).await.expect(201);
            self.timeline.tell("Bruna", &format!("sends {what}"), since);
            self.follow_to_read(socket, &message, since).await?;
            let sent = self.reached(5 + index).await;
            let body = sent.last().map(|sent| sent["body"].clone()).unwrap_or_default();
            ensure!(body[text(&body["type"])]["id"].is_string(), "WhatsApp was given no file: {body}");
        }
        Ok(())
    }

    /// Tells each status as the socket hears it.
    async fn follow_to_read(&self, socket: &mut Socket, message: &Value, since: Instant) -> Result<()> {
        loop {
            let is_its = |frame: &Value| frame["type"] == "message.status" && frame["data"]["message_id"] == message["id"];
            let status = text(&socket.frame("a status", is_its).await["data"]["status"]).to_owned();
            match status.as_str() {
                "sent" => self.timeline.tell("WhatsApp", "✓   sent", since),
                "delivered" => self.timeline.tell("WhatsApp", "✓✓  delivered", since),
                "read" => {
                    self.timeline.tell("WhatsApp", "✓✓  read by Maria", since);
                    return Ok(());
                }
                "failed" => bail!("the message has failed"),
                _ => {}
            }
        }
    }

    /// Caio, who had no socket until now, gets everything he missed, and the feed agrees.
    async fn catch_up(&self, id: &str, head: &str) -> Result<()> {
        let caio = &self.cast.caio;
        let since = Instant::now();
        let mut socket = caio.socket().await;
        socket.follow(id).await;
        socket.send(json!({"action": "resume", "after": head})).await;
        let resumed =
            socket.frame("the end of what was missed", |frame| matches!(text(&frame["type"]), "resumed" | "resync")).await;
        ensure!(resumed["type"] == "resumed", "too much was missed: {resumed}");
        self.timeline.tell("Caio", "without a socket all along, connects and resumes from his cursor", since);
        // As every client does: an event whose cursor was seen before is the same one again.
        let about = |events: Vec<Value>| -> BTreeMap<String, Value> {
            let its = events.into_iter().filter(|event| event.to_string().contains(id));
            its.filter_map(|event| Some((event["cursor"].as_str()?.to_owned(), event))).collect()
        };
        let frames = socket.drain().await;
        let kinds_in_order: Vec<String> =
            frames.iter().filter(|frame| frame["cursor"].is_string()).map(|frame| text(&frame["type"]).to_owned()).collect();
        let received = about(frames);
        let feed = about(caio.events_after(head).await);
        let same = received.keys().eq(feed.keys());
        println!("\n  What Caio received, in order:");
        let mut kinds: Vec<(String, usize)> = Vec::new();
        for next in kinds_in_order {
            match kinds.last_mut() {
                Some((kind, count)) if *kind == next => *count += 1,
                _ => kinds.push((next, 1)),
            }
        }
        let words: Vec<String> =
            kinds.iter().map(|(kind, count)| if *count > 1 { format!("{kind} ×{count}") } else { kind.clone() }).collect();
        for line in words.chunks(5) {
            println!("    {}", line.join(" · "));
        }
        let verdict = if same { "equal: nothing lost, nothing twice" } else { "NOT EQUAL" };
        let colour = if same { "1;32" } else { "1;31" };
        println!(
            "\n  Events received {} · in the feed {} · {}",
            received.len(),
            feed.len(),
            self.timeline.paint(colour, verdict)
        );
        println!("  The whole conversation took {:.1} s.\n", self.timeline.started.elapsed().as_secs_f64());
        ensure!(same && !feed.is_empty(), "Caio did not receive what the feed has");
        Ok(())
    }
}
