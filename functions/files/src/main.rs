//! All functions of this domain in one program, for development: it is the one by whose name it is called. Written by `make programs`.

#[path = "bin/add_client_file.rs"]
mod add_client_file;
#[path = "bin/complete_upload.rs"]
mod complete_upload;
#[path = "bin/create_upload_url.rs"]
mod create_upload_url;
#[path = "bin/delete_file.rs"]
mod delete_file;
#[path = "bin/download_file.rs"]
mod download_file;
#[path = "bin/list_client_files.rs"]
mod list_client_files;
#[path = "bin/prepare_file.rs"]
mod prepare_file;
#[path = "bin/upload_file.rs"]
mod upload_file;

#[rustfmt::skip]
fn main() {
    shared::called_by_name(&[
        ("add_client_file", add_client_file::main),
        ("complete_upload", complete_upload::main),
        ("create_upload_url", create_upload_url::main),
        ("delete_file", delete_file::main),
        ("download_file", download_file::main),
        ("list_client_files", list_client_files::main),
        ("prepare_file", prepare_file::main),
        ("upload_file", upload_file::main),
    ]);
}
