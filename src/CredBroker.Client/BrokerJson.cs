using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>
/// How the API's records are written and read: camelCase, nothing that is null. <see cref="Default"/> reads leniently,
/// so that a newer broker may add members; <see cref="Strict"/> refuses unknown and duplicate members, as the broker
/// does with requests.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowOutOfOrderMetadataProperties = true
)]
[JsonSerializable(typeof(ExchangeRequest))]
[JsonSerializable(typeof(ExchangeResponse))]
[JsonSerializable(typeof(SecretResponse))]
[JsonSerializable(typeof(LeaseResponse))]
[JsonSerializable(typeof(LeaseListResponse))]
[JsonSerializable(typeof(RenewRequest))]
[JsonSerializable(typeof(ReportRequest))]
[JsonSerializable(typeof(CloseTaskRequest))]
[JsonSerializable(typeof(ConfirmLeaseRequest))]
[JsonSerializable(typeof(ReleaseResponse))]
[JsonSerializable(typeof(RevocationRequest))]
[JsonSerializable(typeof(RevocationAcceptedResponse))]
[JsonSerializable(typeof(RevocationResponse))]
[JsonSerializable(typeof(HoldRequest))]
[JsonSerializable(typeof(HoldResponse))]
[JsonSerializable(typeof(HoldListResponse))]
[JsonSerializable(typeof(RevocationOrderListResponse))]
[JsonSerializable(typeof(LiftHoldRequest))]
[JsonSerializable(typeof(OwnerRequest))]
[JsonSerializable(typeof(RetiredOwnerResponse))]
[JsonSerializable(typeof(RetiredOwnerListResponse))]
[JsonSerializable(typeof(RetireOwnerResponse))]
[JsonSerializable(typeof(ApprovalRequestResponse))]
[JsonSerializable(typeof(ApprovalStatusResponse))]
[JsonSerializable(typeof(ApprovalResponse))]
[JsonSerializable(typeof(ApprovalListResponse))]
[JsonSerializable(typeof(ExecutorRequestListResponse))]
[JsonSerializable(typeof(ApprovalNotification))]
[JsonSerializable(typeof(ApproveRequest))]
[JsonSerializable(typeof(DenyApprovalRequest))]
[JsonSerializable(typeof(ApproveGroupRequest))]
[JsonSerializable(typeof(DenyGroupRequest))]
[JsonSerializable(typeof(ApprovalGroupResponse))]
[JsonSerializable(typeof(ApprovalGroupDecisionResponse))]
[JsonSerializable(typeof(TimeBoxResponse))]
[JsonSerializable(typeof(TimeBoxListResponse))]
[JsonSerializable(typeof(RevokeTimeBoxRequest))]
[JsonSerializable(typeof(AcceptStoreRequest))]
[JsonSerializable(typeof(StoreAnchorResponse))]
[JsonSerializable(typeof(StoreClockResponse))]
[JsonSerializable(typeof(RepairClockRequest))]
[JsonSerializable(typeof(VaultClusterResponse))]
[JsonSerializable(typeof(AcceptVaultClusterRequest))]
[JsonSerializable(typeof(PolicyResponse))]
[JsonSerializable(typeof(PolicyVersionListResponse))]
[JsonSerializable(typeof(PolicyPreviewRequest))]
[JsonSerializable(typeof(ApplyPolicyRequest))]
[JsonSerializable(typeof(PolicyReplayRequest))]
[JsonSerializable(typeof(PolicyReplayResponse))]
[JsonSerializable(typeof(RollbackPolicyRequest))]
[JsonSerializable(typeof(PolicyPreviewResponse))]
[JsonSerializable(typeof(EvaluateRequest))]
[JsonSerializable(typeof(EvaluateResponse))]
[JsonSerializable(typeof(ProcessListResponse))]
[JsonSerializable(typeof(CatalogueResponse))]
[JsonSerializable(typeof(LoginResponse))]
[JsonSerializable(typeof(WhoamiResponse))]
[JsonSerializable(typeof(ProblemResponse))]
[JsonSerializable(typeof(HealthResponse))]
public sealed partial class BrokerJson : JsonSerializerContext
{
    /// <summary>Reads as strictly as the broker reads requests: unknown and duplicate members are an error.</summary>
    public static BrokerJson Strict { get; } =
        new(
            new JsonSerializerOptions
            {
                PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
                DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
                RespectNullableAnnotations = true,
                RespectRequiredConstructorParameters = true,
                UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
                AllowDuplicateProperties = false,
                MaxDepth = 32,
            }
        );
}
