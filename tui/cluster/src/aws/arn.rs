//! The parts of an ARN, `arn:PARTITION:SERVICE:REGION:ACCOUNT:TYPE/…/NAME`.

/// Returns what follows the last slash: the name or id of the resource.
pub fn resource_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Returns the partition, `aws` for most regions.
pub fn partition(arn: &str) -> &str {
    arn.split(':').nth(1).unwrap_or("aws")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found() {
        let arn = "arn:aws-cn:ecs:cn-north-1:1:task/mr/7f3c";
        assert_eq!(resource_name(arn), "7f3c");
        assert_eq!(resource_name("7f3c"), "7f3c");
        assert_eq!(partition(arn), "aws-cn");
    }
}
