//! Companies to play with: people are written into the database, everything else goes through the API as a front end would do it.

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// The password of everybody seeded.
pub const PASSWORD: &str = "balcao-demo-2026";

/// Who a company has.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    pub name: String,
    /// Part of the e-mail addresses; a company's own when absent.
    pub slug: Option<String>,
    pub agents: usize,
    pub students: usize,
    /// `company`, `department` or `own`.
    pub agent_visibility: String,
    /// Departments, with the numbers of the agents in each, from 1.
    pub departments: Vec<Department>,
    /// Whether a WhatsApp number is connected.
    pub channel: bool,
    /// Whether the menu bot answers first.
    pub bot: bool,
    /// Another flow for the bot.
    pub flow: Option<Value>,
    /// The company's words at a takeover; those of the product when absent, none when empty.
    pub takeover_text: Option<String>,
    /// Work factor of the password hash: low where many companies are made for tests.
    pub cost: u32,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Department {
    pub name: String,
    pub agents: Vec<usize>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            name: "Escola Horizonte".into(),
            slug: None,
            agents: 2,
            students: 0,
            agent_visibility: "department".into(),
            departments: Vec::new(),
            channel: true,
            bot: true,
            flow: None,
            takeover_text: None,
            cost: 4,
        }
    }
}

impl Wanted {
    /// The company of `make run` and `make demo`.
    #[must_use]
    pub fn demo() -> Self {
        let departments = [("Atendimento", vec![1, 2]), ("Financeiro", vec![2])];
        let departments = departments.map(|(name, agents)| Department { name: name.into(), agents });
        Self { slug: Some("demo".into()), departments: departments.into(), cost: 12, ..Self::default() }
    }
}

/// A seeded person.
#[derive(Clone, Debug, Serialize)]
pub struct Person {
    pub id: Uuid,
    pub name: String,
    pub email: String,
    pub role: &'static str,
}

/// A seeded company.
#[derive(Clone, Debug, Serialize)]
pub struct Company {
    pub id: Uuid,
    pub name: String,
    pub slug: String,
    pub password: &'static str,
    pub people: Vec<Person>,
    /// Name and id of each department.
    pub departments: Vec<(String, Uuid)>,
    pub channel_account_id: Option<Uuid>,
    pub phone_number_id: Option<String>,
    pub flow_id: Option<Uuid>,
}

impl Company {
    /// People and a flow, and nothing else yet.
    fn unfurnished(id: Uuid, wanted: &Wanted, slug: String, people: Vec<Person>, flow_id: Option<Uuid>) -> Self {
        Self {
            id,
            name: wanted.name.clone(),
            slug,
            password: PASSWORD,
            people,
            departments: Vec::new(),
            channel_account_id: None,
            phone_number_id: None,
            flow_id,
        }
    }
}

/// The channel is made last.
const KNOWN: &str = "
    select id, (select id from bot_flows where company_id = companies.id) as flow_id,
           exists (select from channel_accounts where company_id = companies.id) as is_finished
      from companies
     where slug = $1";

/// Makes companies in one running cloud.
pub struct Seeder {
    /// Where the API answers.
    pub api: String,
    pub owner_database_url: String,
}

impl Seeder {
    /// The demo company, made unless it is there already, and finished when an earlier run was killed while making it.
    ///
    /// # Errors
    /// When the database or the API refuses.
    pub async fn demo(&self) -> Result<Option<Company>> {
        let wanted = Wanted::demo();
        let database = connect(&self.owner_database_url).await?;
        let slug = wanted.slug.clone().unwrap_or_default();
        match database.query_opt(KNOWN, &[&slug]).await? {
            None => self.company(&wanted).await.map(Some),
            Some(row) if row.get("is_finished") => Ok(None),
            Some(row) => {
                let (id, flow_id) = (row.get("id"), row.get("flow_id"));
                let mut people = people(&wanted, &slug);
                for person in &mut people {
                    person.id = database.query_one("select id from users where email = $1", &[&person.email]).await?.get(0);
                }
                self.furnish(Company::unfurnished(id, &wanted, slug, people, flow_id), &wanted).await.map(Some)
            }
        }
    }

    /// A new company.
    ///
    /// # Errors
    /// When the database or the API refuses, or a department names an agent there is not.
    pub async fn company(&self, wanted: &Wanted) -> Result<Company> {
        let id = Uuid::now_v7();
        let slug = wanted.slug.clone().unwrap_or_else(|| format!("empresa-{}", &id.simple().to_string()[20..]));
        let mut database = connect(&self.owner_database_url).await?;
        let people = people(wanted, &slug);
        let flow_id = insert_people(&mut database, id, wanted, &slug, &people).await?;
        self.furnish(Company::unfurnished(id, wanted, slug, people, flow_id), wanted).await
    }

    /// Makes what a front end would make, and what of it is not there yet.
    async fn furnish(&self, mut company: Company, wanted: &Wanted) -> Result<Company> {
        // Asked for even where everything is plain HTTP; an error says that it is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        let token = self.log_in(&client, &company.people[0].email).await?;
        for department in &wanted.departments {
            let agents: Vec<&Person> = company.people.iter().filter(|person| person.role == "agent").collect();
            let members: Option<Vec<Uuid>> =
                department.agents.iter().map(|number| Some(agents.get(number.checked_sub(1)?)?.id)).collect();
            let members = members.context("a department names an agent there is not")?;
            let body = json!({"name": department.name, "member_ids": members});
            let made = self.post(&client, &token, "/departments", &body).await?;
            company.departments.push((department.name.clone(), read_id(&made)?));
        }
        if wanted.channel {
            self.connect_number(&client, &token, &mut company).await?;
        }
        // These requests were no device of a person's: whoever signs in first is not told of a new one.
        let database = connect(&self.owner_database_url).await?;
        database.execute("delete from known_devices where user_id = $1", &[&company.people[0].id]).await?;
        Ok(company)
    }

    async fn connect_number(&self, client: &reqwest::Client, token: &str, company: &mut Company) -> Result<()> {
        let digits = company.id.as_u128() % 1_000_000_000_000;
        let phone_number_id = format!("21{digits:012}");
        let mut body = json!({
            "kind": "whatsapp_cloud",
            "name": "WhatsApp principal",
            "phone_number_id": phone_number_id,
            "waba_id": "104200000000001",
            "access_token": format!("EAAG-local-{}", company.id.simple()),
            "display_phone_number": "+551140000000",
        });
        if company.flow_id.is_some() {
            body["bot_flow_key"] = json!("menu");
        }
        if let Some((_, department)) = company.departments.first() {
            body["department_id"] = json!(department);
        }
        let channel = self.post(client, token, "/integrations/config", &body).await?;
        company.channel_account_id = Some(read_id(&channel)?);
        company.phone_number_id = Some(phone_number_id);
        Ok(())
    }

    async fn log_in(&self, client: &reqwest::Client, email: &str) -> Result<String> {
        let url = format!("{}/auth/login", self.api);
        // An address of its own, so that logins of many companies do not count as one caller's.
        let bytes = Uuid::new_v4().into_bytes();
        let address = format!("10.{}.{}.{}", bytes[0], bytes[1], bytes[2]);
        let request = client.post(url).header("x-forwarded-for", address).json(&json!({"email": email, "password": PASSWORD}));
        let answer: Value = request.send().await?.json().await?;
        answer["access_token"].as_str().map(str::to_owned).with_context(|| format!("login of {email}: {answer}"))
    }

    async fn post(&self, client: &reqwest::Client, token: &str, path: &str, body: &Value) -> Result<Value> {
        let request = client.post(format!("{}{path}", self.api)).bearer_auth(token).json(body);
        let answer = request.send().await?;
        let status = answer.status();
        let mut answer: Value = answer.json().await?;
        if answer["code"] == "name_taken" {
            return Ok(answer["current"].take());
        }
        if !status.is_success() {
            bail!("{path}: {status} {answer}");
        }
        Ok(answer)
    }
}

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn read_id(answer: &Value) -> Result<Uuid> {
    Ok(answer["id"].as_str().context("the answer has no id")?.parse()?)
}

fn people(wanted: &Wanted, slug: &str) -> Vec<Person> {
    let person = |role, name: &str, local: String| Person {
        id: Uuid::now_v7(),
        name: name.into(),
        email: format!("{local}@{slug}.example"),
        role,
    };
    let mut people =
        vec![person("admin", "Helena Prado", "admin".into()), person("supervisor", "Rafael Nunes", "supervisor".into())];
    let names = ["Bruna Lima", "Caio Matos", "Duda Reis", "Enzo Dias", "Flávia Melo", "Gustavo Sá"];
    for number in 1..=wanted.agents {
        people.push(person("agent", names[(number - 1) % names.len()], format!("agente{number}")));
    }
    for number in 1..=wanted.students {
        people.push(person("student", &format!("Aluno {number}"), format!("aluno{number}")));
    }
    people
}

const INSERT_COMPANY: &str = "
    insert into companies (id, name, slug, agent_visibility, takeover_text)
    values ($1, $2, $3, $4, $5)";

const INSERT_USER: &str = "insert into users (id, email, name, password_hash) values ($1, $2, $3, $4)";

/// A student is a client with a login: both have the same id here.
const INSERT_STUDENT: &str = "
    with client as (insert into clients (id, company_id, name) values ($1, $2, $3))
    insert into client_identities (company_id, client_id, kind, value, address) values ($2, $1, 'student', $1::uuid::text, $1::uuid::text)";

const INSERT_FLOW: &str =
    "insert into bot_flows (id, company_id, key, name, definition, published_at) values ($1, $2, 'menu', 'Menu', $3, now())";

const INSERT_MEMBERSHIP: &str = "insert into memberships (company_id, user_id, role, client_id) values ($1, $2, $3, $4)";

/// All of them and the flow, or nothing; answers the flow's id.
async fn insert_people(
    database: &mut Client,
    company: Uuid,
    wanted: &Wanted,
    slug: &str,
    people: &[Person],
) -> Result<Option<Uuid>> {
    let hash = bcrypt::hash(PASSWORD, wanted.cost)?;
    let transaction = database.transaction().await?;
    let Wanted { name, agent_visibility, takeover_text, .. } = wanted;
    transaction.execute(INSERT_COMPANY, &[&company, name, &slug, agent_visibility, takeover_text]).await?;
    for Person { id, name, email, role } in people {
        transaction.execute(INSERT_USER, &[id, email, name, &hash]).await?;
        let is_student = *role == "student";
        if is_student {
            transaction.execute(INSERT_STUDENT, &[id, &company, name]).await?;
        }
        transaction.execute(INSERT_MEMBERSHIP, &[&company, id, role, &is_student.then_some(*id)]).await?;
    }
    let flow = wanted.flow.clone().or_else(|| wanted.bot.then(menu_flow));
    let flow_id = flow.as_ref().map(|_| Uuid::now_v7());
    if flow.is_some() {
        transaction.execute(INSERT_FLOW, &[&flow_id, &company, &flow]).await?;
    }
    transaction.commit().await.context("people are not inserted")?;
    Ok(flow_id)
}

/// A school's menu. The company has no calendar, so that it can be tried at any time.
fn menu_flow() -> Value {
    json!({
        "start": "welcome",
        "nodes": {
            "welcome": {
                "type": "menu",
                "text": "Olá, {{client_name}}! Aqui é a Escola Horizonte. Como podemos ajudar?",
                "closed_text": "Olá, {{client_name}}! Estamos fora do horário, mas você já pode deixar sua mensagem.",
                "options": [
                    {"id": "courses", "title": "Conhecer os cursos", "go_to": "courses"},
                    {"id": "fees", "title": "Mensalidades", "go_to": "fees"},
                    {"id": "human", "title": "Falar com atendente", "go_to": "human"},
                ],
            },
            "courses": {"type": "message", "text": "Temos inglês, espanhol e mentoria de carreira.", "go_to": "welcome"},
            "fees": {"type": "message", "text": "As mensalidades vencem no dia 10. A segunda via está no portal do aluno.", "go_to": "welcome"},
            "human": {
                "type": "handover",
                "text": "Um momento, já vou chamar alguém da equipe.",
                "closed_text": "Nossa equipe responde assim que abrirmos.",
            },
        },
    })
}
