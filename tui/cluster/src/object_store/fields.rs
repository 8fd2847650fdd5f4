//! What requests and answers of several calls have in common. s3s has a type of its own for each call, with the same
//! fields, so these are macros.

/// Builds the answer to a HEAD or a GET of a whole object, but for its body.
macro_rules! described {
    ($output:ident, $object:expr, $checksums:expr) => {{
        let (object, checksums): (&Description, &Checksums) = ($object, $checksums);
        let attributes = object.attributes.clone();
        $output {
            accept_ranges: Some("bytes".to_owned()),
            content_length: object.size(),
            e_tag: Some(object.etag()),
            last_modified: Some(object.stamp.modified()),
            metadata: attributes.user_metadata,
            content_encoding: attributes.content_encoding,
            content_type: attributes.content_type,
            content_disposition: attributes.content_disposition,
            content_language: attributes.content_language,
            cache_control: attributes.cache_control,
            expires: attributes.expires,
            website_redirect_location: attributes.website_redirect_location,
            checksum_crc32: checksums.crc32.clone(),
            checksum_crc32c: checksums.crc32c.clone(),
            checksum_sha1: checksums.sha1.clone(),
            checksum_sha256: checksums.sha256.clone(),
            checksum_crc64nvme: checksums.crc64nvme.clone(),
            ..$output::default()
        }
    }};
}

/// Takes what a request says of the object that is to be.
macro_rules! attributes {
    ($input:ident) => {
        Attributes {
            user_metadata: $input.metadata.take(),
            content_encoding: $input.content_encoding.take(),
            content_type: $input.content_type.take(),
            content_disposition: $input.content_disposition.take(),
            content_language: $input.content_language.take(),
            cache_control: $input.cache_control.take(),
            expires: $input.expires.take(),
            website_redirect_location: $input.website_redirect_location.take(),
        }
    };
}

/// Takes what a request says of its body.
macro_rules! announced {
    ($request:ident) => {
        Announced {
            md5: $request.input.content_md5.take(),
            algorithm: $request.input.checksum_algorithm.take(),
            checksums: Checksums {
                crc32: $request.input.checksum_crc32.take(),
                crc32c: $request.input.checksum_crc32c.take(),
                sha1: $request.input.checksum_sha1.take(),
                sha256: $request.input.checksum_sha256.take(),
                crc64nvme: $request.input.checksum_crc64nvme.take(),
            },
            headers: std::mem::take(&mut $request.headers),
            trailers: $request.trailing_headers.take(),
        }
    };
}

macro_rules! read_conditions {
    ($input:ident) => {
        ReadConditions {
            matches: $input.if_match.take(),
            none_matches: $input.if_none_match.take(),
            modified_since: $input.if_modified_since.take(),
            unmodified_since: $input.if_unmodified_since.take(),
        }
    };
}

macro_rules! source_conditions {
    ($input:ident) => {
        ReadConditions {
            matches: $input.copy_source_if_match.take(),
            none_matches: $input.copy_source_if_none_match.take(),
            modified_since: $input.copy_source_if_modified_since.take(),
            unmodified_since: $input.copy_source_if_unmodified_since.take(),
        }
    };
}

pub(super) use {announced, attributes, described, read_conditions, source_conditions};
