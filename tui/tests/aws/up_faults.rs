//! `mrdeck up` where `CloudFormation` refuses, rolls back or is busy: it names the cause and goes on from there.

use std::sync::Arc;

use crate::{Test, tests};
use mrdeck_testkit::aws::moto::Moto;
use mrdeck_testkit::console::Console;
use mrdeck_testkit::home::Home;
use mrdeck_testkit::proxy::Proxy;
use mrdeck_testkit::proxy::script::{Fault, Script};

pub const TESTS: &[Test] = tests![
    what_cloudformation_refuses_is_named_and_nothing_is_left_behind,
    an_account_that_creates_no_roles_is_told_of_role_and_the_next_up_begins_anew,
    a_busy_stack_is_waited_for_and_a_stuck_one_is_named,
    credentials_that_expire_while_it_waits_lose_nothing,
    what_can_not_be_deleted_is_named,
];

const DENIED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
    <Message>User: me is not authorized to perform: cloudformation:CreateStack</Message></Error></ErrorResponse>";
const INVALID: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>\
    <Message>Parameter validation failed: parameter value vpc-1 for parameter name Vpc does not exist</Message>\
    </Error></ErrorResponse>";
const EXPIRED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>\
    <Message>The security token included in the request is expired</Message></Error></ErrorResponse>";
const BROKEN: &str = "<ErrorResponse><Error><Type>Receiver</Type><Code>ServiceOutage</Code>\
    <Message>come back later</Message></Error></ErrorResponse>";
/// What happened, newest first, when an account did not allow roles to be created.
const ROLE_DENIED: &str = "<R><DescribeStackEventsResult><StackEvents>\
    <member><EventId>3</EventId><LogicalResourceId>mrdeck</LogicalResourceId>\
    <ResourceType>AWS::CloudFormation::Stack</ResourceType><ResourceStatus>ROLLBACK_COMPLETE</ResourceStatus></member>\
    <member><EventId>2</EventId><LogicalResourceId>Bucket</LogicalResourceId>\
    <ResourceType>AWS::S3::Bucket</ResourceType><ResourceStatus>CREATE_FAILED</ResourceStatus>\
    <ResourceStatusReason>Resource creation cancelled</ResourceStatusReason></member>\
    <member><EventId>1</EventId><LogicalResourceId>NewTaskRole</LogicalResourceId>\
    <ResourceType>AWS::IAM::Role</ResourceType><ResourceStatus>CREATE_FAILED</ResourceStatus>\
    <ResourceStatusReason>not authorized to perform: iam:CreateRole</ResourceStatusReason></member>\
    </StackEvents></DescribeStackEventsResult></R>";

/// What `CloudFormation` answers of a stack with this status.
fn stack(status: &str) -> String {
    format!(
        "<R><DescribeStacksResult><Stacks><member><StackId>mrdeck</StackId><StackName>mrdeck</StackName>\
         <Description>mrdeck: services</Description><StackStatus>{status}</StackStatus>\
         </member></Stacks></DescribeStacksResult></R>"
    )
}

/// A console that reaches moto through a proxy, which the script steers.
struct Steered {
    moto: Moto,
    home: Home,
    script: Arc<Script>,
    environment: Vec<(&'static str, String)>,
    _proxy: Proxy,
}

impl Steered {
    fn new() -> Self {
        let moto = Moto::start();
        let script = Script::new([]);
        let (proxy, environment) = moto.through(&script);
        Self {
            moto,
            home: Home::new(),
            script,
            environment,
            _proxy: proxy,
        }
    }

    fn console(&self, command: &str) -> Console {
        let console = self.home.console().args([command, "--yes"]);
        let environment = self.environment.iter();
        environment.fold(console, |console, (name, value)| console.env(name, value))
    }

    fn up(&self) -> Console {
        self.console("up").args(["--allow-from", "127.0.0.1"])
    }
}

fn what_cloudformation_refuses_is_named_and_nothing_is_left_behind() {
    let on = Steered::new();
    for (operation, status, answer, code, words) in [
        (
            "CreateStack",
            403,
            DENIED,
            3,
            ["does not allow you to create the stack", "--profile"],
        ),
        (
            "CreateStack",
            400,
            INVALID,
            3,
            ["parameter name Vpc does not exist", "mend"],
        ),
        (
            "CreateStack",
            403,
            EXPIRED,
            5,
            [
                "no valid AWS credentials",
                "renew them where they come from",
            ],
        ),
        (
            "GetCallerIdentity",
            403,
            EXPIRED,
            5,
            [
                "no valid AWS credentials",
                "renew them where they come from",
            ],
        ),
        (
            "DescribeVpcs",
            200,
            "<R><vpcSet/></R>",
            3,
            ["there is no default VPC", "--subnet"],
        ),
    ] {
        on.script
            .replace([Fault::answer(status, answer).aws(operation)]);
        on.up().run().expect_complaint(code, &words);
        assert!(on.moto.stacks().is_empty(), "{operation}: {answer}");
    }
}

fn an_account_that_creates_no_roles_is_told_of_role_and_the_next_up_begins_anew() {
    let on = Steered::new();
    let rolled_back = stack("ROLLBACK_COMPLETE");
    on.script.replace([
        Fault::answer(200, &rolled_back)
            .aws("DescribeStacks")
            .turns(2..=2),
        Fault::answer(200, ROLE_DENIED).aws("DescribeStackEvents"),
    ]);
    on.up().run().expect_complaint(
        3,
        &[
            "NewTaskRole CREATE_FAILED: not authorized to perform: iam:CreateRole",
            "the stack could not be created: NewTaskRole (AWS::IAM::Role)",
            "--role LabRole",
        ],
    );

    on.script.replace([Fault::answer(200, &rolled_back)
        .aws("DescribeStacks")
        .turns(1..=1)]);
    let up = on.up().args(["--role", "LabRole"]);
    up.run().expect_complaint(
        4,
        &[
            "delete what is left of the stack mrdeck, which is ROLLBACK_COMPLETE",
            "create the CloudFormation stack mrdeck",
            "CREATE_COMPLETE",
        ],
    );
    let calls = on.script.operations();
    assert_eq!((calls["DeleteStack"], calls["CreateStack"]), (1, 1));
}

fn a_busy_stack_is_waited_for_and_a_stuck_one_is_named() {
    let on = Steered::new();
    on.up().run().expect(4);
    on.script.replace([
        Fault::answer(200, &stack("UPDATE_IN_PROGRESS"))
            .aws("DescribeStacks")
            .turns(1..=1),
        // The network has its moments while it waits.
        Fault::answer(500, BROKEN)
            .aws("DescribeStacks")
            .turns(1..=1),
    ]);
    on.up().run().expect_complaint(
        4,
        &[
            "busy (UPDATE_IN_PROGRESS)",
            "come back later",
            "looking again",
            "then run: mrdeck up",
        ],
    );
    on.script
        .replace([Fault::answer(200, &stack("UPDATE_ROLLBACK_FAILED")).aws("DescribeStacks")]);
    on.up().run().expect_complaint(
        3,
        &[
            "stuck in UPDATE_ROLLBACK_FAILED",
            "continue-update-rollback",
        ],
    );
}

fn credentials_that_expire_while_it_waits_lose_nothing() {
    let on = Steered::new();
    on.script.replace([Fault::answer(403, EXPIRED)
        .aws("DescribeStacks")
        .turns(2..=2)]);
    on.up().run().expect_complaint(
        5,
        &["no valid AWS credentials", "AWS continues with the stack"],
    );
    on.script.replace([]);
    on.up().run().expect_complaint(4, &["then run: mrdeck up"]);
    assert_eq!(on.script.operations().get("CreateStack"), None);
}

fn what_can_not_be_deleted_is_named() {
    let on = Steered::new();
    on.up().run().expect(4);
    let failed = "<R><DescribeStackEventsResult><StackEvents>\
        <member><EventId>9</EventId><LogicalResourceId>Access</LogicalResourceId>\
        <ResourceType>AWS::EC2::SecurityGroup</ResourceType><ResourceStatus>DELETE_FAILED</ResourceStatus>\
        <ResourceStatusReason>resource sg-1 has a dependent object</ResourceStatusReason></member>\
        </StackEvents></DescribeStackEventsResult></R>";
    on.script.replace([
        Fault::answer(200, &stack("DELETE_FAILED"))
            .aws("DescribeStacks")
            .turns(2..=2),
        Fault::answer(200, failed)
            .aws("DescribeStackEvents")
            .turns(2..=2),
    ]);
    on.console("down").run().expect_complaint(
        3,
        &[
            "the stack could not be deleted: Access (AWS::EC2::SecurityGroup)",
            "dependent object",
        ],
    );
}
