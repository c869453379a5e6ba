//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/approve_knowledge_proposal.rs"]
mod approve_knowledge_proposal;
#[path = "bin/create_knowledge.rs"]
mod create_knowledge;
#[path = "bin/delete_knowledge.rs"]
mod delete_knowledge;
#[path = "bin/get_knowledge.rs"]
mod get_knowledge;
#[path = "bin/get_knowledge_synonyms.rs"]
mod get_knowledge_synonyms;
#[path = "bin/import_knowledge.rs"]
mod import_knowledge;
#[path = "bin/import_knowledge_file.rs"]
mod import_knowledge_file;
#[path = "bin/list_knowledge.rs"]
mod list_knowledge;
#[path = "bin/list_knowledge_proposals.rs"]
mod list_knowledge_proposals;
#[path = "bin/optimize_knowledge.rs"]
mod optimize_knowledge;
#[path = "bin/record_knowledge_use.rs"]
mod record_knowledge_use;
#[path = "bin/reject_knowledge_proposal.rs"]
mod reject_knowledge_proposal;
#[path = "bin/save_knowledge_synonyms.rs"]
mod save_knowledge_synonyms;
#[path = "bin/search_knowledge.rs"]
mod search_knowledge;
#[path = "bin/undo_knowledge_import.rs"]
mod undo_knowledge_import;
#[path = "bin/update_knowledge.rs"]
mod update_knowledge;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("approve_knowledge_proposal", approve_knowledge_proposal::main),
        ("create_knowledge", create_knowledge::main),
        ("delete_knowledge", delete_knowledge::main),
        ("get_knowledge", get_knowledge::main),
        ("get_knowledge_synonyms", get_knowledge_synonyms::main),
        ("import_knowledge", import_knowledge::main),
        ("import_knowledge_file", import_knowledge_file::main),
        ("list_knowledge", list_knowledge::main),
        ("list_knowledge_proposals", list_knowledge_proposals::main),
        ("optimize_knowledge", optimize_knowledge::main),
        ("record_knowledge_use", record_knowledge_use::main),
        ("reject_knowledge_proposal", reject_knowledge_proposal::main),
        ("save_knowledge_synonyms", save_knowledge_synonyms::main),
        ("search_knowledge", search_knowledge::main),
        ("undo_knowledge_import", undo_knowledge_import::main),
        ("update_knowledge", update_knowledge::main),
    ]);
}
