//! POST /bot/simulate — plays a turn of a flow without a conversation: its draft, a version of it, or one that is given. Nothing is sent or kept.

use bot::{
    flow::Flow,
    place::Place,
    simulation::{Happened, PLACE, Setting, Simulated, SimulatedRun, play},
    stored::{FLOW, LARGEST, Stored, VERSION},
};
use shared::{
    error::{FieldProblem, INVALID, NOT_FOUND},
    prelude::*,
};

const ROUTE: Route = Route::post("/bot/simulate").fails(&[NOT_FOUND]).body_limit(3 * LARGEST);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = with_a_flow)]
struct Played {
    /// The flow's key.
    #[garde(length(max = 80))]
    key: Option<String>,
    /// A version that was published; the draft, or what is published, without it.
    #[garde(range(min = 1))]
    #[schemars(range(min = 1))]
    number: Option<i32>,
    /// A flow that is not kept anywhere; it goes before one with a key.
    #[garde(skip)]
    definition: Option<Map<String, Value>>,
    #[garde(dive)]
    #[serde(default)]
    run: SimulatedRun,
    #[garde(dive)]
    event: Happened,
    #[garde(dive)]
    #[serde(default)]
    world: Setting,
}

pub fn main() {
    serve(&ROUTE, simulate_bot);
}

async fn simulate_bot(context: Context, caller: Supervisor, Json(input): Json<Played>) -> Result<Json<Simulated>, Error> {
    let Played { key, number, definition, run, event, world } = input;
    let transaction = context.begin(&caller).await?;
    let definition = match (definition, key, number) {
        (Some(definition), ..) => Value::Object(definition),
        (None, Some(key), None) => transaction.one::<Stored>(FLOW, &[&key]).await?.definition,
        (None, Some(key), Some(number)) => transaction.one::<Stored>(VERSION, &[&key, &number]).await?.definition,
        (None, None, _) => {
            let (portuguese, english) = ("Informe a chave ou o fluxo.", "Give the key or the flow.");
            return Err(INVALID.in_fields(vec![FieldProblem::new("key", "required", portuguese, english)]));
        }
    };
    // What cannot be read leads to people, here as in a conversation.
    let flow = Flow::read(&definition).unwrap_or_default();
    let place: Place = transaction.one(PLACE, &[&world.department_id]).await?;
    drop(transaction);
    Ok(Json(play(&flow, &place, world, run, event, context.now())))
}

/// Of a key, or as it is given.
fn with_a_flow(schema: &mut schemars::Schema) {
    let branch = |title: &str, field: &str, kind: &str| json!({"title": title, "type": "object", "required": [field], "properties": {field: {"type": kind}}});
    schema.insert("anyOf".into(), json!([branch("of_a_key", "key", "string"), branch("as_given", "definition", "object")]));
}
