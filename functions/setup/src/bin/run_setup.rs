//! POST /setup/infrastructure — makes the first departments, the usual hours and a flow for the bot, once; where they are there, or were made before, it changes nothing.

use calendar::CalendarUpdated;
use setup::{
    SetupUpdated,
    defaults::{self, Made, MadeDefault, OF_CALENDAR},
};
use shared::prelude::*;
use team::DepartmentCreated;

const ROUTE: Route = Route::post("/setup/infrastructure");

/// What this call has made.
#[derive(Serialize, JsonSchema)]
struct SetupRun {
    /// Nothing, the second time.
    made: Vec<MadeDefault>,
}

pub fn main() {
    serve(&ROUTE, run_setup);
}

async fn run_setup(context: Context, caller: Admin) -> Result<Json<SetupRun>, Error> {
    let transaction = context.begin(&caller).await?;
    let Made { made, departments, version } = defaults::make(&context, &transaction).await?;
    for department in &departments {
        transaction.tell_staff(&DepartmentCreated { department });
    }
    if made.iter().any(|made| made.key == OF_CALENDAR) {
        transaction.tell_staff(&CalendarUpdated { department_id: None });
    }
    if !made.is_empty() {
        transaction.tell_staff(&SetupUpdated { version });
    }
    transaction.audit(caller.company_id, &Value::Null, &json!({"made": made}));
    transaction.commit(Json(SetupRun { made })).await
}
