using System.Text;

namespace CredBroker.Vault.Setup;

/// <summary>
/// Writes blocks of Terraform in the layout of <c>terraform fmt</c>: two blanks a level, the signs of equality of
/// attributes that stand one below the other in one column, an attribute of several lines by itself.
/// </summary>
internal sealed class TerraformWriter
{
    private readonly StringBuilder _text = new();
    private readonly List<(string Name, string Value)> _run = [];
    private string _indent = "";

    public void Comment(string text) => _text.Append($"# {text.TrimEnd()}\n");

    /// <summary>A block of the file, below comments of its own.</summary>
    public void Open(string header, params ReadOnlySpan<string> comments)
    {
        if (_text.Length > 0 && !EndsWith("\n\n"))
        {
            _text.Append('\n');
        }

        foreach (var comment in comments)
        {
            Comment(comment);
        }

        _text.Append($"{header} {{\n");
        _indent = "  ";
    }

    public void Close()
    {
        Flush();
        _indent = "";
        _text.Append("}\n\n");
    }

    public void OpenNested(string header)
    {
        Flush();
        _text.Append($"\n{_indent}{header} {{\n");
        _indent += "  ";
    }

    public void CloseNested()
    {
        Flush();
        _indent = _indent[2..];
        _text.Append($"{_indent}}}\n");
    }

    public void Attribute(string name, string value) => _run.Add((name, value));

    /// <summary>A text line by line.</summary>
    public void Lines(string name, string text)
    {
        Flush();
        _text.Append($"{_indent}{name} = ");
        Joined(text, _indent);
        _text.Append('\n');
    }

    /// <summary>A list of texts, those of several lines line by line.</summary>
    public void List(string name, IReadOnlyList<string> texts)
    {
        Flush();
        _text.Append($"{_indent}{name} = [\n");
        foreach (var text in texts)
        {
            _text.Append($"{_indent}  ");
            if (text.Contains('\n', StringComparison.Ordinal))
            {
                Joined(text, _indent + "  ");
            }
            else
            {
                _text.Append(SetupText.Hcl(text));
            }

            _text.Append(",\n");
        }

        _text.Append($"{_indent}]\n");
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString().TrimEnd('\n') + "\n";

    private void Joined(string text, string indent)
    {
        _text.Append("join(\"\\n\", [\n");
        foreach (var line in text.Split('\n'))
        {
            _text.Append($"{indent}  {SetupText.Hcl(line)},\n");
        }

        _text.Append($"{indent}])");
    }

    private void Flush()
    {
        var width = _run.Count == 0 ? 0 : _run.Max(attribute => attribute.Name.Length);
        foreach (var (name, value) in _run)
        {
            _text.Append($"{_indent}{name.PadRight(width)} = {value}\n");
        }

        _run.Clear();
    }

    private bool EndsWith(string end) =>
        _text.Length >= end.Length && _text.ToString(_text.Length - end.Length, end.Length) == end;
}
