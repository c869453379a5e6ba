//! The stores of the local cloud, reached as functions reach them: through the AWS SDKs.

mod cloud;
mod dynamodb;
mod object_storage;
mod postgres;
mod queues;
