using System.Text;
using CredBroker.Core.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace CredBroker.Core.Policy.Document;

/// <summary>
/// Reads one YAML document into nodes from the parser's events, without recursion: nesting is capped before it can cost
/// a stack. Anchors, aliases, tags, a second document and keys that are no text are faults: what they mean is not on
/// the page that a reviewer reads.
/// </summary>
internal sealed class YamlTree
{
    public const int MaxBytes = 1024 * 1024;

    private const int MaxDepth = 16;

    private readonly PolicyFaultList _faults;
    private readonly Stack<YamlNode> _open = new();
    private readonly Stack<YamlScalar?> _keys = new();
    private YamlNode? _root;
    private int _documents;

    private YamlTree(PolicyFaultList faults) => _faults = faults;

    /// <summary>
    /// The document's root, or null where the text is no YAML at all. Never throws, whatever the text.
    /// </summary>
    public static YamlNode? Read(string text, PolicyFaultList faults)
    {
        if (text.Length > MaxBytes || Encoding.UTF8.GetByteCount(text) > MaxBytes)
        {
            faults.Add(0, 0, "a policy document has at most 1 MiB");
            return null;
        }

        if (!UnicodeText.IsValid(text))
        {
            faults.Add(0, 0, "the document holds half of a surrogate pair: it is not Unicode");
            return null;
        }

        var tree = new YamlTree(faults);
        var parser = new Parser(new StringReader(text));
        try
        {
            while (parser.MoveNext())
            {
                if (!tree.Accept(parser.Current!))
                {
                    return null;
                }
            }
        }
        catch (YamlException exception)
        {
            faults.Add(
                (int)exception.Start.Line,
                (int)exception.Start.Column,
                $"this is not YAML: {exception.Message}"
            );
            return null;
        }
        catch (Exception exception)
            when (exception
                    is InvalidOperationException
                        or ArgumentException
                        or FormatException
                        or OverflowException
                        or IndexOutOfRangeException
            )
        {
            // On some malformed texts the parser stumbles instead of complaining.
            var last = parser.Current?.End ?? Mark.Empty;
            faults.Add((int)last.Line, (int)last.Column, "this is not YAML from here on");
            return null;
        }

        if (tree._root is null)
        {
            faults.Add(1, 1, "the document is empty");
        }

        return tree._root;
    }

    /// <summary>Takes an event up. False ends the reading: what follows could only mislead.</summary>
    private bool Accept(ParsingEvent current)
    {
        var (line, column) = ((int)current.Start.Line, (int)current.Start.Column);
        switch (current)
        {
            case DocumentStart when ++_documents > 1:
                _faults.Add(line, column, "a policy is one document; a second begins here");
                return false;
            case AnchorAlias:
                _faults.Add(line, column, "aliases (*name) are not accepted; write it out");
                Place(new YamlScalar(line, column, "", IsPlain: true, 0));
                return true;
            case NodeEvent node:
                RefuseProperties(node, line, column);
                break;
        }

        switch (current)
        {
            case Scalar scalar:
                Place(
                    new YamlScalar(
                        line,
                        column,
                        scalar.Value,
                        scalar.Style == ScalarStyle.Plain,
                        (int)scalar.Start.Index
                    )
                );
                return true;
            case MappingStart:
                return Open(new YamlMapping(line, column));
            case SequenceStart:
                return Open(new YamlSequence(line, column));
            case MappingEnd or SequenceEnd:
                _open.Pop();
                _keys.Pop();
                return true;
            default:
                return true;
        }
    }

    private void RefuseProperties(NodeEvent node, int line, int column)
    {
        if (!node.Anchor.IsEmpty)
        {
            _faults.Add(line, column, "anchors (&name) are not accepted");
        }

        if (!node.Tag.IsEmpty)
        {
            _faults.Add(line, column, "tags (!name) are not accepted");
        }
    }

    private bool Open(YamlNode node)
    {
        Place(node);
        _open.Push(node);
        _keys.Push(null);
        if (_open.Count <= MaxDepth)
        {
            return true;
        }

        _faults.Add(node, $"the document nests deeper than {MaxDepth}");
        return false;
    }

    private void Place(YamlNode node)
    {
        if (_open.Count == 0)
        {
            _root ??= node;
            return;
        }

        switch (_open.Peek())
        {
            case YamlSequence sequence:
                sequence.Items.Add(node);
                break;
            case YamlMapping mapping when _keys.Peek() is { } key:
                mapping.Entries.Add((key, node));
                _keys.Pop();
                _keys.Push(null);
                break;
            default:
                _keys.Pop();
                if (node is not YamlScalar)
                {
                    _faults.Add(node, "a key must be a text");
                }

                _keys.Push(node as YamlScalar ?? new YamlScalar(node.Line, node.Column, "", IsPlain: true, 0));
                break;
        }
    }
}
