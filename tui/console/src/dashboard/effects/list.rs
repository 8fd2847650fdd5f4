//! A page of the browser's list, from S3.

use mrdeck_store::{Page, Store, StoreError};

use super::Link;
use crate::dashboard::model::{Item, ListAnswer, ListRequest, Location, Msg};
use mrdeck_core::diagnostic::Diagnostic;

pub(super) async fn list(link: Link, request: ListRequest) -> Msg {
    let answer = match link {
        Ok(connection) => answer(connection.store.as_ref(), &request).await,
        Err(diagnostic) => ListAnswer::Failed(diagnostic),
    };
    Msg::Listed(request, answer)
}

async fn answer(store: &dyn Store, request: &ListRequest) -> ListAnswer {
    match page(store, request).await {
        Ok(page) => ListAnswer::Page(page),
        Err(error @ StoreError::Denied { .. }) => {
            let (permission, instead) = match request.location {
                Location::Buckets => ("s3:ListAllMyBuckets", "type s3://BUCKET/ after i"),
                Location::Folder { .. } => ("s3:ListBucket", "type s3://BUCKET/KEY after i"),
            };
            let advice = format!("ask for the permission {permission}, or {instead}");
            ListAnswer::Denied(Diagnostic::new(error.to_string(), advice))
        }
        Err(error) => ListAnswer::Failed(Diagnostic::from(&error)),
    }
}

async fn page(store: &dyn Store, request: &ListRequest) -> Result<Page<Item>, StoreError> {
    let from = request.from.as_deref();
    match &request.location {
        Location::Buckets => store.buckets(from).await.map(items),
        Location::Folder { bucket, prefix } => {
            let prefix = format!("{prefix}{}", request.beginning);
            store.list(bucket, &prefix, from).await.map(items)
        }
    }
}

fn items<T: Into<Item>>(page: Page<T>) -> Page<Item> {
    Page {
        items: page.items.into_iter().map(Into::into).collect(),
        next: page.next,
    }
}
