using System.Globalization;
using CredBroker.Cel;

namespace CredBroker.Core.Policy.Document;

/// <summary>
/// Reads a mapping's keys by name and kind. What is missing or of another kind is a fault and reads as a harmless
/// stand-in, so that reading goes on; <see cref="Finish"/> reports the keys that nobody asked for.
/// </summary>
internal sealed class MappingReader
{
    private readonly YamlNode _node;
    private readonly PolicyFaultList _faults;
    private readonly Dictionary<string, YamlNode> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, YamlScalar> _unread = new(StringComparer.Ordinal);
    private readonly List<string> _asked = [];

    public MappingReader(YamlNode node, string what, PolicyFaultList faults)
    {
        (_node, _faults) = (node, faults);
        if (node is not YamlMapping mapping)
        {
            faults.Add(node, $"{what} must be a mapping, not {node.Kind}");
            IsMapping = false;
            return;
        }

        foreach (var (key, value) in mapping.Entries)
        {
            if (!_values.TryAdd(key.Text, value))
            {
                faults.Add(key, $"the key `{key.Text}` stands here twice");
            }
            else
            {
                _unread.Add(key.Text, key);
            }
        }
    }

    /// <summary>Whether there is anything to read.</summary>
    public bool IsMapping { get; } = true;

    public YamlNode Node => _node;

    /// <summary>The value of a key, or null. One that is written as nothing counts as absent.</summary>
    public YamlNode? Find(string key)
    {
        _asked.Add(key);
        _unread.Remove(key);
        return _values.GetValueOrDefault(key) is { } value and not YamlScalar { IsNull: true } ? value : null;
    }

    /// <summary>The value of a key, or null with a fault.</summary>
    public YamlNode? Need(string key)
    {
        var value = Find(key);
        if (value is null && IsMapping)
        {
            _faults.Add(_values.GetValueOrDefault(key) ?? _node, $"`{key}` is missing");
        }

        return value;
    }

    /// <summary>A key that this version knows of and does not accept.</summary>
    public void NotYet(string key, string what)
    {
        _asked.Add(key);
        if (_unread.Remove(key, out var at))
        {
            _faults.Add(at, $"not supported by this version yet: {what}");
        }
    }

    public YamlScalar? Scalar(YamlNode? value, string key)
    {
        if (value is null or YamlScalar)
        {
            return (YamlScalar?)value;
        }

        _faults.Add(value, $"`{key}` must be a text, not {value.Kind}");
        return null;
    }

    public string Text(string key) => Scalar(Need(key), key) is { } scalar ? Checked(scalar, key) : "";

    public string? TextOrNull(string key) => Scalar(Find(key), key) is { } scalar ? Checked(scalar, key) : null;

    public bool Flag(string key) => Flag(Need(key), key);

    /// <summary>A flag that may be left out, and is then false.</summary>
    public bool FlagOrFalse(string key) => Flag(Find(key), key);

    private bool Flag(YamlNode? value, string key)
    {
        if (Scalar(value, key) is not { } scalar)
        {
            return false;
        }

        if (scalar is not { IsPlain: true, Text: "true" or "false" })
        {
            _faults.Add(scalar, $"`{key}` must be true or false");
        }

        return scalar.Text == "true";
    }

    public int Integer(string key, int minimum, int maximum) => Integer(Need(key), key, minimum, maximum);

    /// <summary>A number; the least where there is none.</summary>
    public int Integer(YamlNode? value, string key, int minimum, int maximum)
    {
        if (Scalar(value, key) is not { } scalar)
        {
            return minimum;
        }

        if (
            int.TryParse(scalar.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && scalar.IsPlain
            && number >= minimum
            && number <= maximum
        )
        {
            return number;
        }

        _faults.Add(scalar, $"`{key}` must be a whole number from {minimum} to {maximum}");
        return minimum;
    }

    public TimeSpan? Duration(YamlNode? value, string key, TimeSpan maximum)
    {
        if (Scalar(value, key) is not { } scalar)
        {
            return null;
        }

        if (PolicyDuration.TryParse(scalar.Text, out var duration) && duration <= maximum)
        {
            return duration;
        }

        _faults.Add(
            scalar,
            $"`{key}` must be a whole number of s, m or h "
                + $"up to {PolicyDuration.Format(maximum)}, such as 90s, 10m or 2h"
        );
        return null;
    }

    /// <summary>One of a few words.</summary>
    public T Choice<T>(string key, T? absent, params ReadOnlySpan<(string Word, T Value)> choices)
        where T : struct
    {
        if (Scalar(absent is null ? Need(key) : Find(key), key) is not { } scalar)
        {
            return absent ?? choices[0].Value;
        }

        var words = new List<string>();
        foreach (var (word, value) in choices)
        {
            if (word == scalar.Text)
            {
                return value;
            }

            words.Add(word);
        }

        _faults.Add(
            scalar,
            $"`{key}` must be one of {string.Join(", ", words)}{NearestName.Suggestion(scalar.Text, words)}"
        );
        return choices[0].Value;
    }

    /// <summary>One of a list of words, which has to be there.</summary>
    public string Choice(string key, IReadOnlyList<string> words) =>
        words[Choice(key, absent: (int?)null, [.. words.Select((word, index) => (word, index))])];

    /// <summary>A list of texts without repetition.</summary>
    public IReadOnlyList<YamlScalar> Texts(YamlNode? value, string key)
    {
        if (value is null)
        {
            return [];
        }

        if (value is not YamlSequence sequence)
        {
            _faults.Add(value, $"`{key}` must be a list, not {value.Kind}");
            return [];
        }

        var texts = new List<YamlScalar>();
        foreach (var item in sequence.Items)
        {
            if (item is not YamlScalar { IsNull: false } scalar)
            {
                _faults.Add(item, $"`{key}` must be a list of texts");
            }
            else if (texts.Exists(earlier => earlier.Text == scalar.Text))
            {
                _faults.Add(scalar, $"`{scalar.Text}` stands in `{key}` twice");
            }
            else
            {
                Checked(scalar, key);
                texts.Add(scalar);
            }
        }

        return texts;
    }

    /// <summary>Reports the keys that nobody asked for.</summary>
    public void Finish(string what)
    {
        foreach (var (key, at) in _unread)
        {
            _faults.Add(at, $"{what} has no key `{key}`{NearestName.Suggestion(key, _asked)}");
        }
    }

    private string Checked(YamlScalar scalar, string key)
    {
        // Grants and Vault policies run over several lines; anything else that does not print could hide something from
        // a reviewer.
        if (scalar.Text.Any(c => char.IsControl(c) && c is not '\n' and not '\t'))
        {
            _faults.Add(scalar, $"`{key}` holds a control character");
        }
        else if (scalar.Text.Length == 0)
        {
            _faults.Add(scalar, $"`{key}` is empty");
        }

        return scalar.Text;
    }
}
