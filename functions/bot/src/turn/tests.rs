use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

fn flow() -> Flow {
    read(json!({
        "start": "welcome",
        "nodes": {
            "welcome": {"type": "menu", "text": "Olá, {{client_name}}!", "options": [
                {"id": "courses", "title": "Cursos", "go_to": "courses"},
                {"id": "human", "title": "Falar com atendente", "go_to": "human"},
            ]},
            "courses": {"type": "message", "text": "Temos inglês.", "go_to": "name"},
            "name": {"type": "question", "text": "Seu nome?", "field": "name", "go_to": "bye"},
            "bye": {"type": "end", "text": "Até logo, {{name}}!"},
            "human": {"type": "handover", "text": "Um momento.", "closed_text": "Voltamos amanhã."},
        },
    }))
}

fn read(definition: Value) -> Flow {
    Flow::read(&definition).unwrap()
}

fn at(node: &str) -> Run {
    Run { node: Some(node.into()), ..Run::default() }
}

fn said(text: &str) -> Event {
    Event::Said(Input::new(vec![Said::Words(text.into())]))
}

fn file() -> Event {
    Event::Said(Input::new(vec![Said::Unreadable]))
}

fn world() -> World {
    World { client_name: "Maria".into(), is_open: true, today: jiff::civil::date(2026, 11, 29), ..World::default() }
}

fn plays(flow: &Flow, run: &Run, event: &Event) -> Turn {
    play(flow, &Config::default(), run, event, &world())
}

fn turn(run: &Run, event: &Event) -> Turn {
    plays(&flow(), run, event)
}

fn texts(turn: &Turn) -> Vec<&str> {
    turn.says.iter().map(|saying| saying.text.as_str()).collect()
}

const WAIT: Next = Next::Wait { until: None };
const TIME: Event = Event::Time { has_written: false };
const PEOPLE: Next = Next::Handover { department_id: None, user_id: None };

#[test]
fn the_first_turn_greets_with_the_menu() {
    let turn = turn(&Run::default(), &said("oi"));
    assert_eq!((turn.says[0].kind, turn.says[0].text.as_str()), (MessageKind::Interactive, "Olá, Maria!"));
    assert_eq!((turn.next, turn.run.node.as_deref()), (WAIT, Some("welcome")));
    assert_eq!(turn.steps, [Step { node: "welcome".into(), outcome: Outcome::Asked }]);
}

#[test]
fn an_option_is_chosen_by_tap_number_or_title() {
    let tap = Event::Said(Input::new(vec![Said::Tapped { option_id: "human".into(), title: String::new() }]));
    for event in [tap, said("2"), said(" 2 "), said("FALAR COM ATENDENTE")] {
        assert_eq!(turn(&at("welcome"), &event).next, PEOPLE);
    }
    // Of several messages the last that is one.
    let several = Input::new(["cursos", "oi?", "2", "por favor"].map(|text| Said::Words(text.into())).to_vec());
    assert_eq!(turn(&at("welcome"), &Event::Said(several)).next, PEOPLE);
}

#[test]
fn what_is_not_understood_is_asked_again_once_and_then_handed_over() {
    let first = turn(&at("welcome"), &said("xyz"));
    assert_eq!(texts(&first), ["Não entendi. Escolha uma das opções, por favor.", "Olá, Maria!"]);
    assert_eq!((first.run.misses, &first.next), (1, &WAIT));
    assert_eq!(turn(&first.run, &said("xyz")).next, PEOPLE);
    // An answer that is one makes up for it.
    let asked = turn(&first.run, &said("1"));
    assert_eq!((asked.run.node.as_deref(), asked.run.misses), (Some("name"), 0));
}

#[test]
fn what_is_no_answer_leaves_the_bot_waiting_silently() {
    let missed = turn(&at("welcome"), &said("xyz")).run;
    for run in [at("welcome"), at("name"), missed] {
        let silent = turn(&run, &Event::Said(Input::new(vec![Said::Nothing])));
        assert_eq!((silent.says, silent.next, silent.run), (vec![], Next::Stay, run));
    }
    assert_eq!(texts(&turn(&Run::default(), &Event::Said(Input::default()))), ["Olá, Maria!"]);
}

#[test]
fn a_file_is_an_answer_the_bot_does_not_understand() {
    for (node, asked) in [("welcome", "Olá, Maria!"), ("name", "Seu nome?")] {
        let first = turn(&at(node), &file());
        assert_eq!((first.says.last().unwrap().text.as_str(), &first.next), (asked, &WAIT));
        assert!(first.run.fields.get("name").is_none());
        assert_eq!(turn(&first.run, &file()).next, PEOPLE);
    }
}

#[test]
fn a_question_keeps_its_answer_and_goes_on() {
    let asked = turn(&at("welcome"), &said("cursos"));
    assert_eq!(texts(&asked), ["Temos inglês.", "Seu nome?"]);
    let answered = turn(&asked.run, &said("Ana"));
    assert_eq!((texts(&answered), answered.next.clone()), (vec!["Até logo, Ana!"], Next::Close));
}

#[test]
fn global_words_work_anywhere() {
    assert_eq!(turn(&at("name"), &said("Atendente")).next, PEOPLE);
    assert_eq!(turn(&at("name"), &said("menu")).run.node.as_deref(), Some("welcome"));
    let left = turn(&at("name"), &said("Sair"));
    assert_eq!((texts(&left), left.next.clone()), (vec!["Atendimento encerrado. Quando precisar, é só chamar!"], Next::Close));
    let mut own = flow();
    own.words.human = Some(vec!["gente".into()]);
    assert_eq!(plays(&own, &at("name"), &said("GENTE")).next, PEOPLE);
    assert_eq!(plays(&own, &at("name"), &said("atendente")).next, Next::Close, "it is a name now");
}

#[test]
fn outside_the_hours_the_closed_text_is_said() {
    let closed = World { is_open: false, ..world() };
    let turn = play(&flow(), &Config::default(), &at("welcome"), &said("2"), &closed);
    assert_eq!(texts(&turn), ["Voltamos amanhã."]);
}

#[test]
fn a_flow_that_goes_in_circles_ends_with_people() {
    let circle = read(json!({"start": "a", "nodes": {"a": {"type": "message", "text": "a", "go_to": "a"}}}));
    assert_eq!(plays(&circle, &Run::default(), &said("oi")).next, PEOPLE);
    let tired = Run { turns: MOST_TURNS, ..at("welcome") };
    assert_eq!(turn(&tired, &said("1")).next, PEOPLE);
    let last = Run { turns: MOST_TURNS - 1, ..at("welcome") };
    assert_eq!(turn(&last, &said("1")).next, WAIT);
}

#[test]
fn a_node_of_the_future_leads_to_people() {
    let mut future = flow();
    let hologram = Flow::read(&json!({"start": "a", "nodes": {"a": {"type": "hologram"}}})).unwrap();
    future.nodes.extend([("courses".to_owned(), hologram.nodes["a"].clone())]);
    let handed = plays(&future, &at("welcome"), &said("1"));
    assert_eq!((texts(&handed), handed.next.clone()), (vec!["Um momento."], PEOPLE));
    // A conversation that rests at one begins again.
    assert_eq!(plays(&future, &at("courses"), &said("oi")).run.node.as_deref(), Some("welcome"));
}

fn asks(question: Value) -> Flow {
    let mut asked = json!({"type": "question", "text": "?", "field": "x", "go_to": "bye"});
    asked.as_object_mut().unwrap().extend(question.as_object().unwrap().clone());
    read(json!({"start": "q", "nodes": {
        "q": asked,
        "bye": {"type": "end", "text": "{{x}}"},
        "failed": {"type": "end", "text": "Sem resposta."},
        "human": {"type": "handover", "text": "Pessoa."},
    }}))
}

#[test]
fn a_question_is_asked_again_as_often_as_it_says() {
    let flow = asks(json!({"answer": "cpf", "retries": 2, "error": "CPF inválido.", "on_failure": "failed", "skip": "pular"}));
    let mut run = at("q");
    for _ in 0..2 {
        let again = plays(&flow, &run, &said("123"));
        assert_eq!((texts(&again), &again.next), (vec!["CPF inválido.", "?"], &WAIT));
        run = again.run;
    }
    assert_eq!(texts(&plays(&flow, &run, &said("123"))), ["Sem resposta."]);
    let given = plays(&flow, &run, &said("529.982.247-25"));
    assert_eq!(texts(&given), ["52998224725"]);
    assert_eq!(plays(&flow, &run, &said("Pular")).next, Next::Close);
    let choice = asks(json!({"answer": "choice", "choices": ["Manhã", "Tarde"]}));
    assert_eq!(texts(&plays(&choice, &Run::default(), &said("oi"))), ["?\n\n1. Manhã\n2. Tarde"]);
    assert_eq!(texts(&plays(&choice, &at("q"), &said("tarde"))), ["Tarde"]);
}

#[test]
fn an_answer_in_several_messages_is_one() {
    let several = Event::Said(Input::new(vec![Said::Words("Ana".into()), Said::Unreadable, Said::Words("da Silva".into())]));
    assert_eq!(texts(&plays(&asks(json!({})), &at("q"), &several)), ["Ana\nda Silva"]);
    let mail = Event::Said(Input::new(vec![Said::Words("meu email é".into()), Said::Words("ana@escola.com.br".into())]));
    assert_eq!(texts(&plays(&asks(json!({"answer": "email"})), &at("q"), &mail)), ["ana@escola.com.br"]);
}

fn calls() -> Flow {
    read(json!({"start": "ask", "nodes": {
        "ask": {"type": "question", "text": "Pedido?", "field": "pedido", "go_to": "call"},
        "call": {"type": "webhook", "url": "https://loja.exemplo.com.br/", "fields": ["pedido"],
                 "save": {"/situacao": "situacao", "/itens/0": "item", "/total": "total"}, "go_to": "tell", "on_failure": "human"},
        "tell": {"type": "end", "text": "{{situacao}} {{item}} {{total}}"},
        "human": {"type": "handover", "text": "Um momento."},
    }}))
}

fn called_with(answer: Option<Value>) -> Event {
    Event::Called { answer, meanwhile: Input::default() }
}

#[test]
fn a_turn_stops_for_a_call_and_goes_on_with_what_comes_of_it() {
    let flow = calls();
    let stopped = plays(&flow, &at("ask"), &said("123"));
    assert_eq!((stopped.next.clone(), stopped.run.node.as_deref(), texts(&stopped)), (Next::Call, Some("call"), vec![]));
    let called = |answer: Option<Value>| plays(&flow, &stopped.run, &called_with(answer));
    let full = called(Some(json!({"situacao": "Enviado", "itens": ["Livro", "Caneta"], "total": 12.5})));
    assert_eq!((texts(&full), full.next.clone()), (vec!["Enviado Livro 12.5"], Next::Close));
    assert_eq!(full.steps[0], Step { node: "call".into(), outcome: Outcome::Called });
    // What is not there now is not what was there before.
    let mut before = stopped.run.clone();
    before.fields.insert("situacao".into(), json!("Perdido"));
    let bare = plays(&flow, &before, &called_with(Some(json!({"itens": "x", "total": null}))));
    assert_eq!((texts(&bare), bare.next.clone()), (vec![], Next::Close), "there is nothing to say");
    assert_eq!(called(None).next, PEOPLE);
    // What is said meanwhile answers nothing, but for words that work anywhere; and nobody else's outcome moves anything.
    assert_eq!(plays(&flow, &stopped.run, &said("e aí?")).next, Next::Stay);
    assert_eq!(plays(&flow, &stopped.run, &said("atendente")).next, PEOPLE);
    let meanwhile = |words: &str| Event::Called {
        answer: Some(json!({"situacao": "Enviado"})),
        meanwhile: Input::new(vec![Said::Words("oi?".into()), Said::Words(words.into())]),
    };
    assert_eq!(texts(&plays(&flow, &stopped.run, &meanwhile("alô"))), ["Enviado  "]);
    assert_eq!(plays(&flow, &stopped.run, &meanwhile("Atendente")).next, PEOPLE);
    assert_eq!(plays(&flow, &at("ask"), &called_with(Some(json!({})))).next, Next::Stay);
    assert_eq!(plays(&flow, &Run::default(), &called_with(None)).next, Next::Stay);
    let tired = Run { turns: MOST_TURNS, ..stopped.run };
    assert_eq!(plays(&flow, &tired, &called_with(Some(json!({})))).next, PEOPLE);
}

#[test]
fn who_leaves_with_their_first_words_is_counted() {
    for (words, outcome) in [("sair", Outcome::Closed), ("atendente", Outcome::HandedOver)] {
        let bare = read(json!({"start": "q", "nodes": {"q": {"type": "question", "text": "?", "field": "x", "go_to": "q"}}}));
        assert_eq!(plays(&bare, &Run::default(), &said(words)).steps, [Step { node: "q".into(), outcome }]);
    }
}

#[test]
fn an_answer_may_be_kept_with_the_client() {
    let flow = asks(json!({"answer": "email", "save_as": "email"}));
    let kept = plays(&flow, &at("q"), &said("Ana@Escola.com.br"));
    assert_eq!(kept.effects, [Effect::Save { save_as: "email".into(), value: "ana@escola.com.br".into() }]);
    assert!(kept.changes_client() && !plays(&flow, &at("q"), &said("não")).changes_client());
}

#[test]
fn a_person_is_given_what_the_flow_gives_them() {
    let (ana, sales, other) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
    let flow = read(json!({"start": "human", "nodes": {
        "human": {"type": "handover", "department_id": sales, "user_id": ana},
        "d": {"type": "department", "text": "Qual?"},
    }}));
    let given = Next::Handover { department_id: Some(sales), user_id: Some(ana) };
    assert_eq!(plays(&flow, &Run::default(), &said("oi")).next, given);
    let world = World { departments: vec![(sales, "Vendas".into()), (other, "Outro".into())], ..world() };
    let chosen = play(&flow, &Config::default(), &at("d"), &said("2"), &world);
    assert_eq!(chosen.next, Next::Handover { department_id: Some(other), user_id: None }, "it is not hers");
}

fn departments(count: u128) -> World {
    let departments = (0..count).map(|number| (Uuid::from_u128(number + 1), format!("Setor {}", number + 1))).collect();
    World { departments, ..world() }
}

#[test]
fn whoever_has_one_department_is_not_asked_which() {
    let flow = read(json!({"start": "d", "nodes": {
        "d": {"type": "department", "text": "Qual setor?", "back": "Voltar ao menu", "go_to": "bye"},
        "bye": {"type": "end", "text": "Menu."},
        "human": {"type": "handover", "text": "Um momento."},
    }}));
    let plays = |run: &Run, event: &Event, count| play(&flow, &Config::default(), run, event, &departments(count));
    for (count, department_id) in [(0, None), (1, Some(Uuid::from_u128(1)))] {
        let handed = plays(&Run::default(), &said("oi"), count);
        assert_eq!((texts(&handed), handed.next.clone()), (vec!["Um momento."], Next::Handover { department_id, user_id: None }));
    }
    let asked = plays(&Run::default(), &said("oi"), 3);
    let titles: Vec<&str> =
        asked.says[0].payload["options"].as_array().unwrap().iter().map(|option| option["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Setor 1", "Setor 2", "Setor 3", "Voltar ao menu"]);
    let chosen = Next::Handover { department_id: Some(Uuid::from_u128(2)), user_id: None };
    for words in ["2", "setor 2"] {
        assert_eq!(plays(&asked.run, &said(words), 3).next, chosen);
    }
    assert_eq!(texts(&plays(&asked.run, &said("voltar ao menu"), 3)), ["Menu."]);
    let many = plays(&Run::default(), &said("oi"), 12);
    assert!(many.says[0].kind == MessageKind::Text && many.says[0].text.ends_with("13. Voltar ao menu"), "{:?}", many.says);
    assert_eq!(
        plays(&many.run, &said("12"), 12).next,
        Next::Handover { department_id: Some(Uuid::from_u128(12)), user_id: None }
    );
}

#[test]
fn leads_are_made_and_moved_on_the_way() {
    let stage_id = Uuid::from_u128(7);
    let flow = read(json!({"start": "lead", "nodes": {
        "lead": {"type": "create_lead", "origin": "  Robô de {{client_name}} ", "go_to": "move"},
        "move": {"type": "move_lead", "stage_id": stage_id, "go_to": "end"},
        "end": {"type": "end", "text": "Anotado."},
    }}));
    let turn = plays(&flow, &Run::default(), &said("oi"));
    let made = Effect::CreateLead { stage_id: None, origin: Some("Robô de Maria".into()) };
    assert_eq!(turn.effects, [made, Effect::MoveLead { stage_id }]);
    assert!(turn.changes_client());
}

#[test]
fn conditions_fields_and_tags_take_their_way() {
    let flow = read(json!({"start": "set", "nodes": {
        "set": {"type": "set_field", "field": "origem", "value": "{{channel}}bot de {{client_name}}", "go_to": "tag"},
        "tag": {"type": "tag", "add": ["novo"], "remove": ["velho"], "go_to": "if"},
        "if": {"type": "condition", "cases": [
            {"when": {"test": "open", "is": false}, "go_to": "closed"},
            {"when": {"test": "field", "name": "origem", "contains": "maria"}, "go_to": "open"},
        ], "else_go_to": "closed"},
        "open": {"type": "end", "text": "{{origem}}"},
        "closed": {"type": "end", "text": "Fechado."},
    }}));
    let turn = plays(&flow, &Run::default(), &said("oi"));
    assert_eq!(texts(&turn), ["bot de Maria"]);
    assert_eq!(turn.effects, [Effect::Tag { add: vec!["novo".into()], remove: vec!["velho".into()] }]);
    let ways: Vec<&str> = turn.steps.iter().map(|step| step.node.as_str()).collect();
    assert_eq!(ways, ["set", "tag", "if", "open"]);
    let closed = play(&flow, &Config::default(), &Run::default(), &said("oi"), &World { is_open: false, ..world() });
    assert_eq!(texts(&closed), ["Fechado."]);
}

#[test]
fn a_split_is_the_same_for_a_conversation_and_as_it_weighs_for_all() {
    let flow = read(json!({"start": "s", "nodes": {
        "s": {"type": "split", "branches": [{"weight": 3, "go_to": "a"}, {"weight": 1, "go_to": "b"}, {"weight": 0, "go_to": "c"}]},
        "a": {"type": "end", "text": "a"}, "b": {"type": "end", "text": "b"}, "c": {"type": "end", "text": "c"},
    }}));
    let way = |number: u128| {
        let world =
            World { conversation_id: Uuid::from_u128(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)), ..world() };
        let once = play(&flow, &Config::default(), &Run::default(), &said("oi"), &world);
        assert_eq!(once, play(&flow, &Config::default(), &Run::default(), &said("oi"), &world));
        once.says[0].text.clone()
    };
    let ways: Vec<String> = (0..4_000).map(way).collect();
    let of = |name: &str| ways.iter().filter(|way| *way == name).count();
    assert!((2_800..3_200).contains(&of("a")) && of("c") == 0, "{}", of("a"));
}

#[test]
fn who_says_nothing_goes_on_after_a_while() {
    let flow = read(json!({"start": "q", "on_timeout": {"minutes": 60, "go_to": "lost"}, "nodes": {
        "q": {"type": "question", "text": "?", "field": "x", "go_to": "m", "on_timeout": {"minutes": 5, "go_to": "again"}},
        "again": {"type": "message", "text": "Ainda está aí?", "go_to": "m"},
        "m": {"type": "menu", "text": "Menu", "options": [{"id": "a", "title": "A", "go_to": "lost"}]},
        "lost": {"type": "end", "text": "Até mais."},
    }}));
    let asked = plays(&flow, &Run::default(), &said("oi"));
    assert_eq!(asked.next, Next::Wait { until: Some(Timestamp::UNIX_EPOCH + SignedDuration::from_mins(5)) });
    let again = plays(&flow, &asked.run, &TIME);
    assert_eq!(texts(&again), ["Ainda está aí?", "Menu"]);
    assert_eq!(again.next, Next::Wait { until: Some(Timestamp::UNIX_EPOCH + SignedDuration::from_mins(60)) });
    assert_eq!(plays(&flow, &again.run, &TIME).next, Next::Close);
    // Who has just written is not out of time.
    assert_eq!(plays(&flow, &asked.run, &Event::Time { has_written: true }).next, Next::Stay);
    // A time-out of nothing changes nothing.
    assert_eq!(turn(&at("welcome"), &TIME).next, Next::Stay);
    assert_eq!(turn(&Run::default(), &TIME).next, Next::Stay);
}

#[test]
fn a_wait_goes_on_by_itself_and_hears_only_words_that_work_anywhere() {
    let flow = read(json!({"start": "w", "nodes": {
        "w": {"type": "wait", "seconds": 90, "go_to": "o"},
        "o": {"type": "wait", "until_open": true, "go_to": "bye"},
        "bye": {"type": "end", "text": "Oi de novo."},
        "human": {"type": "handover", "text": "Pessoa."},
    }}));
    let asleep = plays(&flow, &Run::default(), &said("oi"));
    assert_eq!(asleep.next, Next::Sleep { until: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(90) });
    assert_eq!(
        plays(&flow, &asleep.run, &said("alô?")),
        Turn { says: vec![], effects: vec![], steps: vec![], run: asleep.run.clone(), next: Next::Stay }
    );
    assert_eq!(plays(&flow, &asleep.run, &said("atendente")).next, PEOPLE);
    assert_eq!(plays(&flow, &asleep.run, &TIME).next, Next::Close, "it is open");
    let opens_at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(9);
    let night = World { is_open: false, opens_at: Some(opens_at), ..world() };
    assert_eq!(play(&flow, &Config::default(), &asleep.run, &TIME, &night).next, Next::Sleep { until: opens_at });
    let never = World { is_open: false, ..world() };
    assert_eq!(play(&flow, &Config::default(), &asleep.run, &TIME, &never).next, Next::Close);
}

#[test]
fn a_file_goes_with_its_words() {
    let id = Uuid::from_u128(7);
    let flow = read(json!({"start": "m", "nodes": {
        "m": {"type": "message", "text": "A tabela, {{first_name}}", "media": {"kind": "document", "file_id": id}, "go_to": "human"},
        "human": {"type": "handover", "text": "Um momento.", "department_id": id, "priority": "high", "summary": "{{first_name}} quer preços"},
    }}));
    let turn = plays(&flow, &Run::default(), &said("oi"));
    assert_eq!(
        (turn.says[0].kind, turn.says[0].text.as_str(), turn.says[0].file_id),
        (MessageKind::Document, "A tabela, Maria", Some(id))
    );
    assert_eq!(turn.effects, [Effect::Priority("high".into()), Effect::Summary("Maria quer preços".into())]);
    assert_eq!(turn.next, Next::Handover { department_id: Some(id), user_id: None });
}

/// Whatever is filled in, it fits what WhatsApp takes, and says something where an answer is waited for.
#[test]
fn what_is_filled_in_fits_and_is_never_blank() {
    let flow = |nodes: Value| read(json!({"start": "m", "nodes": nodes}));
    let run = Run { fields: json!({"a": "x".repeat(2_000)}).as_object().cloned().unwrap(), ..Run::default() };
    let long = flow(json!({
        "m": {"type": "message", "text": "{{a}}{{a}}{{a}}", "go_to": "f"},
        "f": {"type": "message", "text": "{{a}}", "media": {"kind": "image", "file_id": Uuid::nil()}, "go_to": "menu"},
        "menu": {"type": "menu", "text": "{{a}}", "options": [{"id": "a", "title": "A", "go_to": "m"}]},
    }));
    let lengths: Vec<usize> = plays(&long, &run, &said("oi")).says.iter().map(|saying| saying.text.chars().count()).collect();
    assert_eq!(lengths, [4_096, 1_024, 1_024]);
    for node in [
        json!({"type": "menu", "text": "{{client_email}}", "options": [{"id": "a", "title": "A", "go_to": "m"}]}),
        json!({"type": "question", "text": "{{client_email}}", "field": "x", "go_to": "m"}),
    ] {
        assert_eq!(texts(&plays(&flow(json!({"m": node})), &Run::default(), &said("oi"))), [BLANK]);
    }
    let menu = flow(
        json!({"m": {"type": "menu", "text": "Oi", "closed_text": " ", "options": [{"id": "a", "title": "A", "go_to": "m"}]}}),
    );
    let closed = World { is_open: false, ..world() };
    assert_eq!(texts(&play(&menu, &Config::default(), &Run::default(), &said("oi"), &closed)), ["Oi"]);
}

#[test]
fn departments_that_fit_no_button_are_numbered_lines() {
    let flow = read(json!({"start": "d", "nodes": {"d": {"type": "department", "text": "Qual?"}}}));
    let named = |count: usize, name: &str| {
        let departments = (1..=count).map(|number| (Uuid::from_u128(number as u128), format!("{name} {number}"))).collect();
        World { departments, ..world() }
    };
    let two = named(2, "Atendimento ao aluno");
    let asked = play(&flow, &Config::default(), &Run::default(), &said("oi"), &two);
    assert_eq!(texts(&asked), ["Qual?\n\n1. Atendimento ao aluno 1\n2. Atendimento ao aluno 2"]);
    let chosen = play(&flow, &Config::default(), &asked.run, &said("2"), &two);
    assert_eq!(chosen.next, Next::Handover { department_id: Some(Uuid::from_u128(2)), user_id: None });
    assert_eq!((chosen.run.node, chosen.steps.last().map(|step| step.outcome)), (None, Some(Outcome::HandedOver)));
    let many = play(&flow, &Config::default(), &Run::default(), &said("oi"), &named(60, &"Departamento ".repeat(7)));
    assert!(many.says.len() > 1 && many.says.iter().all(|saying| saying.text.chars().count() <= 4_096));
}

#[test]
fn a_field_that_grows_by_itself_stays_a_field() {
    let flow = read(json!({"start": "a", "nodes": {
        "a": {"type": "set_field", "field": "a", "value": "x{{a}}{{a}}", "go_to": "q"},
        "q": {"type": "question", "text": "?", "field": "b", "go_to": "a"},
    }}));
    let mut run = Run::default();
    for _ in 0..40 {
        run = plays(&flow, &run, &said("oi")).run;
    }
    assert_eq!(run.fields["a"].as_str().map(str::len), Some(2_000));
}

#[test]
fn a_tag_is_seen_by_what_comes_after_it() {
    let flow = read(json!({"start": "t", "nodes": {
        "t": {"type": "tag", "add": ["VIP"], "go_to": "if"},
        "if": {"type": "condition", "cases": [{"when": {"test": "tag", "name": "vip"}, "go_to": "yes"}], "else_go_to": "no"},
        "yes": {"type": "end", "text": "sim"}, "no": {"type": "end", "text": "não"},
    }}));
    assert_eq!(texts(&plays(&flow, &Run::default(), &said("oi"))), ["sim"]);
}

#[test]
fn who_says_nothing_is_not_told_for_ever() {
    let flow = read(json!({"start": "m", "nodes": {
        "m": {"type": "message", "text": "Olá?", "go_to": "w"},
        "w": {"type": "wait", "seconds": 1, "go_to": "m"},
    }}));
    let mut turn = plays(&flow, &Run::default(), &said("oi"));
    let mut told = 0;
    while matches!(turn.next, Next::Sleep { .. }) {
        told += turn.says.len();
        turn = plays(&flow, &turn.run, &TIME);
    }
    assert_eq!((told, turn.next), (usize::try_from(MOST_TURNS).unwrap(), PEOPLE));
}

#[test]
fn titles_that_are_numbers_are_titles() {
    let option = |title: &str, go_to: &str| json!({"id": title, "title": title, "go_to": go_to});
    let flow = read(json!({"start": "m", "nodes": {
        "m": {"type": "menu", "text": "Quantos?", "options": [option("2", "two"), option("1", "one")]},
        "one": {"type": "end", "text": "um"}, "two": {"type": "end", "text": "dois"},
    }}));
    assert_eq!(texts(&plays(&flow, &at("m"), &said("2"))), ["dois"]);
    let empty = asks(json!({"skip": " "}));
    assert_eq!(plays(&empty, &at("q"), &file()).run.misses, 1, "a file skips nothing");
}

proptest! {
    #[test]
    fn every_turn_ends_and_never_rests_nowhere(texts in proptest::collection::vec(".{0,20}|1|2|menu|sair", 0..60)) {
        let mut run = Run::default();
        for text in texts {
            let turn = turn(&run, &said(&text));
            prop_assert!(turn.says.len() <= MOST_STEPS + 1);
            prop_assert!(turn.next != WAIT || turn.run.node.is_some());
            prop_assert!(turn.next != Next::Close || turn.run.node.is_none());
            run = turn.run;
        }
    }
}
