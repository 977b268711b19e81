using System.Diagnostics.CodeAnalysis;

namespace CredBroker.Core.Identity;

/// <summary>
/// How a trust domain lays workload and instance into its paths, such as <c>/agents/{workload}/{instance}</c>: it
/// covers the whole path, and each placeholder takes exactly one segment.
/// </summary>
public sealed class PathTemplate
{
    private const string WorkloadPlaceholder = "{workload}";
    private const string InstancePlaceholder = "{instance}";

    private readonly string[] _segments;

    private PathTemplate(string[] segments) => _segments = segments;

    /// <summary>Reads a template; <paramref name="fault"/> says what is wrong and what to write.</summary>
    public static bool TryParse(
        string text,
        [NotNullWhen(true)] out PathTemplate? template,
        [NotNullWhen(false)] out string? fault
    )
    {
        template = null;
        var segments = text.Split('/');
        if (segments.Length < 2 || segments[0].Length > 0)
        {
            fault = "begins with '/', such as /agents/{workload}/{instance}";
        }
        else if (
            segments.Count(s => s == WorkloadPlaceholder) != 1
            || segments.Count(s => s == InstancePlaceholder) > 1
        )
        {
            fault = "names {workload} once and {instance} at most once, each as a whole segment";
        }
        else if (
            segments.Skip(1).Any(s => s is not (WorkloadPlaceholder or InstancePlaceholder) && !SpiffeId.IsSegment(s))
        )
        {
            fault = "consists of {workload}, {instance} and literal segments of letters, digits, '.', '_' and '-'";
        }
        else
        {
            fault = null;
        }

        if (fault is not null)
        {
            return false;
        }

        template = new PathTemplate(segments);
        return true;
    }

    /// <summary>Splits a path; false where it does not have the template's form.</summary>
    public bool TryMatch(string path, out string workload, out string instance)
    {
        workload = instance = "";
        var parts = path.Split('/');
        if (parts.Length != _segments.Length)
        {
            return false;
        }

        for (var i = 0; i < parts.Length; i++)
        {
            switch (_segments[i])
            {
                case WorkloadPlaceholder:
                    workload = parts[i];
                    break;
                case InstancePlaceholder:
                    instance = parts[i];
                    break;
                case var literal when literal != parts[i]:
                    workload = instance = "";
                    return false;
            }
        }

        return true;
    }
}
