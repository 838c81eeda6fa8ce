import * as vscode from 'vscode';
import { OPEN_JOB, SHOW_MORE } from '../contributions.ts';
import type { TreeRow } from './tree.ts';

/** A row as the editor draws it. The tooltip comes when it is asked for. */
export function treeItem(row: TreeRow): vscode.TreeItem {
  const { text, children, closed } = row;
  const item = new vscode.TreeItem(text.label, collapsible(children, closed === true));
  item.id = row.id;
  item.description = text.description;
  item.contextValue = text.context;
  item.accessibilityInformation = { label: text.spoken };
  if (text.icon !== '') {
    const color = text.color === undefined ? undefined : new vscode.ThemeColor(text.color);
    item.iconPath = new vscode.ThemeIcon(text.icon, color);
  }
  const command = commandOf(row);
  if (command !== undefined) item.command = command;
  return item;
}

function collapsible(
  children: readonly string[] | undefined,
  closed: boolean,
): vscode.TreeItemCollapsibleState {
  if (children === undefined) return vscode.TreeItemCollapsibleState.None;
  return closed ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.Expanded;
}

function commandOf({ job, more, section, text }: TreeRow): vscode.Command | undefined {
  if (more === true) return { command: SHOW_MORE, title: text.label, arguments: [section] };
  return job && { command: OPEN_JOB, title: text.label, arguments: [job.id] };
}
